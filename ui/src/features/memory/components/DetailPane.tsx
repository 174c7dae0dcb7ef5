import { Dialog } from "@/components/Dialog";
import { useWide } from "@/lib/media";
import { speakerOf, type Hit } from "../api/recall";
import { HitDetail } from "./HitDetail";

interface DetailPaneProps {
  hit: Hit | undefined;
  /** Whether the person picked the hit; on a phone nothing opens by itself. */
  picked: boolean;
  onClose: () => void;
}

/** Beside the list where there is room, a sheet over it where there is not. */
export function DetailPane({ hit, picked, onClose }: DetailPaneProps) {
  const wide = useWide();
  if (!hit) return null;
  if (wide) {
    return (
      <aside aria-label="Why this one" className="w-85 shrink-0 overflow-y-auto border-l border-line bg-raised px-5 py-4">
        <HitDetail hit={hit} />
      </aside>
    );
  }
  return (
    <Dialog open={picked} onClose={onClose} title={`${speakerOf(hit)}, ${hit.score.toFixed(2)}`} description={hit.text}>
      <HitDetail hit={hit} />
    </Dialog>
  );
}
