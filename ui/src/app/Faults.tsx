import { Link, useRouter, type ErrorComponentProps } from "@tanstack/react-router";
import { ErrorNote } from "@/components/ErrorNote";
import { Mark } from "@/components/Mark";
import { useTitle } from "@/lib/useTitle";

/** The last net: a page that could not be drawn. */
export function PageFault({ error, reset }: ErrorComponentProps) {
  useTitle("Error");
  const router = useRouter();
  const retry = () => {
    reset();
    void router.invalidate();
  };
  return (
    <main className="mx-auto grid max-w-lg gap-4 px-5 py-16">
      <Mark className="h-8 justify-self-start" />
      <h1 className="text-xl font-semibold">This page could not be shown</h1>
      <ErrorNote error={error} onRetry={retry} />
    </main>
  );
}

export function NotFound() {
  useTitle("Not found");
  return (
    <main className="mx-auto grid max-w-lg gap-3 px-5 py-16">
      <Mark className="h-8 justify-self-start" />
      <h1 className="text-xl font-semibold">There is no page here</h1>
      <p className="text-muted">The address may be mistyped, or the page has moved.</p>
      <Link to="/memory" className="text-ember underline underline-offset-2">
        Go to Memory
      </Link>
    </main>
  );
}
