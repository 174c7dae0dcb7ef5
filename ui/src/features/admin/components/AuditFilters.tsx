import { Button } from "@/components/Button";
import { FilterMenu } from "@/components/FilterMenu";
import { FilterPopover } from "@/components/FilterPopover";
import { PeriodFilter } from "@/components/PeriodFilter";
import type { AuditRow } from "../api/audit";
import type { AdminSearch } from "../filters";
import { actionWords } from "../words";

const outcomes = [
  { value: "", label: "any outcome" },
  { value: "success", label: "success" },
  { value: "failure", label: "failure" },
  { value: "denied", label: "denied" },
];

interface AuditFiltersProps {
  search: AdminSearch;
  /** Rows on the page: what to choose from. */
  rows: AuditRow[];
  nameOf: (id: string) => string;
  onChange: (next: Partial<AdminSearch>) => void;
}

const distinct = (values: string[]) => [...new Set(values)].filter(Boolean).sort();

export function AuditFilters({ search, rows, nameOf, onChange }: AuditFiltersProps) {
  const { action, principal, outcome, resource, since, until } = search;
  const actions = distinct(rows.map((row) => row.action)).map((value) => ({ value, label: actionWords(value), hint: value.split(".")[0] }));
  const people = distinct(rows.map((row) => row.principal_id)).map((value) => ({ value, label: nameOf(value) }));
  const idOf = (typed: string | undefined) => people.find(({ label }) => label === typed)?.value ?? typed;
  const resources = distinct(rows.map((row) => row.resource.split(":")[0] ?? "")).map((value) => ({ value, label: value.replaceAll("_", " ") }));
  const isNarrowed = action || principal || outcome || resource || since || until;
  return (
    <div className="flex shrink-0 items-center gap-1.5 border-b border-line px-6 py-2.5 max-md:overflow-x-auto max-md:px-4">
      <FilterPopover label="Action" rest="any action" value={action} suggestions={actions} onChange={(next) => onChange({ action: next })} />
      <FilterPopover label="Principal" rest="anybody" value={principal && nameOf(principal)} suggestions={people} onChange={(next) => onChange({ principal: idOf(next) })} />
      <FilterMenu label="Outcome" value={outcome ?? ""} rest="" choices={outcomes} onChange={(next) => onChange({ outcome: next || undefined })} />
      <FilterPopover label="Resource" rest="any resource" value={resource} suggestions={resources} onChange={(next) => onChange({ resource: next })} />
      <PeriodFilter value={{ since, until }} onChange={onChange} />
      {isNarrowed && (
        <Button look="quiet" className="h-6 px-2 text-sm" onClick={() => onChange({ action: undefined, principal: undefined, outcome: undefined, resource: undefined, since: undefined, until: undefined })}>
          Clear
        </Button>
      )}
    </div>
  );
}
