import { useState } from "react";
import { Button } from "@/components/Button";
import { ImportDialog } from "./ImportDialog";
import { Section } from "./Section";

/** The way in for what was kept elsewhere. */
export function ImportSection() {
  const [asking, setAsking] = useState(false);
  return (
    <Section
      title="Import"
      note="An export of Hearth, memories of mem0, or a graph of the MCP memory server. Sending the same file again adds nothing twice."
      action={<Button onClick={() => setAsking(true)}>Import…</Button>}
    >
      {asking && <ImportDialog onClose={() => setAsking(false)} />}
    </Section>
  );
}
