import { useEffect, useState } from "react";
import { Button } from "@/components/Button";
import { Icon } from "@/components/icons";
import { notify } from "@/lib/toasts";

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);

  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => notify("The browser refused to copy", "Select the text and copy it by hand."),
    );

  return (
    <Button onClick={copy} aria-live="polite">
      <Icon name={copied ? "check" : "copy"} />
      {copied ? "Copied" : label}
    </Button>
  );
}
