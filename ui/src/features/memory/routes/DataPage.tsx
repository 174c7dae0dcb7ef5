import { PageHead } from "@/components/PageHead";
import { usePrincipal } from "@/lib/principal";
import { useTitle } from "@/lib/useTitle";
import { EraseSection } from "../components/EraseSection";
import { ExportSection } from "../components/ExportSection";
import { HoldsSection } from "../components/HoldsSection";
import { ImportSection } from "../components/ImportSection";
import { useMemoryPage } from "../useMemoryPage";

export function DataPage() {
  useTitle("Your data");
  const { search } = useMemoryPage();
  const isAdmin = usePrincipal().scopes.includes("admin");
  return (
    <>
      <PageHead title="Data" note="Take it with you, or have it erased for good." />
      <ExportSection />
      <ImportSection />
      <EraseSection sessionId={search.session} />
      {isAdmin && <HoldsSection />}
    </>
  );
}
