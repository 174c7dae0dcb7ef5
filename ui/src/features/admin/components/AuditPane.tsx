import { CopyButton } from "@/components/CopyButton";
import { Facts } from "@/components/Facts";
import { SidePane } from "@/components/SidePane";
import { StateWord } from "@/components/StateWord";
import { formatSecond } from "@/lib/format";
import type { AuditRow } from "../api/audit";
import { actionWords, outcomeTone } from "../words";

const mono = (text: string) => <code className="font-mono text-sm break-all">{text}</code>;

/** One row of the record, whole. */
export function AuditPane({ row, nameOf, onClose }: { row: AuditRow; nameOf: (id: string) => string; onClose: () => void }) {
  const name = nameOf(row.principal_id);
  return (
    <SidePane
      title={actionWords(row.action)}
      note={<StateWord tone={outcomeTone(row.outcome)}>{row.outcome}</StateWord>}
      onClose={onClose}
      foot={<CopyButton label="Copy as JSON" text={JSON.stringify(row, null, 2)} />}
    >
      <Facts
        facts={[
          ["When", formatSecond(row.at)],
          ["Who", name !== row.principal_id && <span className="font-medium">{name}</span>],
          ["Principal", mono(`${row.principal_kind}:${row.principal_id}`)],
          ["Credential", row.credential_id && mono(row.credential_id)],
          ["Address", row.address && mono(row.address)],
          ["Action", mono(row.action)],
          ["Resource", mono(row.resource)],
          ["Changed", row.fields.length > 0 && row.fields.join(", ")],
          ["Request", mono(row.request_id)],
          ["Row", mono(row.audit_id)],
        ]}
      />
      <p className="text-sm text-muted">The record names what changed, never the values. The request id finds the same moment in the server’s log.</p>
    </SidePane>
  );
}
