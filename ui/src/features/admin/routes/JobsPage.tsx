import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { DataList, type Column } from "@/components/DataList";
import { Empty } from "@/components/Empty";
import { Fetched } from "@/components/Fetched";
import { FilterMenu } from "@/components/FilterMenu";
import { PageHead } from "@/components/PageHead";
import { StateWord } from "@/components/StateWord";
import { formatRelative } from "@/lib/format";
import { usePageFeed } from "@/lib/usePageFeed";
import { useTitle } from "@/lib/useTitle";
import { jobKindsQuery, jobsQuery, type Job } from "../api/jobs";
import { JobPane } from "../components/JobPane";
import { KindTable } from "../components/KindTable";
import { useAdminSearch } from "../useAdminSearch";
import { jobTone } from "../words";

const keyOf = (job: Job) => job.job_id;

const columns: Column<Job>[] = [
  { head: "Kind", track: "minmax(0,1fr)", cell: (job) => <span className="block truncate font-medium">{job.kind}</span> },
  { head: "State", isPlain: true, track: "6.5rem", cell: (job) => <StateWord tone={jobTone(job.state)}>{job.state}</StateWord> },
  { head: "Workspace", track: "minmax(0,0.6fr)", cell: (job) => <span className="block truncate">{job.tenant_id ?? "all"}</span> },
  { head: "Tries", track: "3.5rem", atEnd: true, cell: (job) => String(job.tries) },
  { head: "Last error", track: "minmax(0,1.4fr)", cell: (job) => job.last_error && <span className="block truncate">{job.last_error}</span> },
  { head: "When", track: "10rem", isPlain: true, cell: (job) => (job.finished_at ? `ended ${formatRelative(job.finished_at)}` : `due ${formatRelative(job.run_at)}`) },
];

const states = ["due", "running", "failed", "dead", "done"];
const choices = (rest: string, values: string[]) => [{ value: "", label: rest }, ...values.map((value) => ({ value, label: value }))];

const nothing = (
  <Empty title="No job fits">
    <p className="text-muted">Work that need not be done at once waits here: embeddings, backups, clean-up. Finished jobs stay for a day, dead ones for thirty.</p>
  </Empty>
);

export function JobsPage() {
  useTitle("Jobs");
  const { search, change } = useAdminSearch();
  const { state, kind } = search;
  const summary = useQuery(jobKindsQuery);
  const jobs = useInfiniteQuery(jobsQuery({ state, kind }));
  const { items, more } = usePageFeed(jobs);
  const [opened, setOpened] = useState<Job>();
  const kinds = summary.data?.kinds ?? [];
  // The row on the page is newer than the one that was opened.
  const job = opened && (items.find(({ job_id }) => job_id === opened.job_id) ?? opened);
  return (
    <div className="flex h-full flex-col">
      <PageHead title="Jobs" note="Work in the background, for all workspaces. Failed jobs are tried again by themselves; dead ones wait for you." />
      <KindTable kinds={kinds} onPick={(next) => change({ kind: next, state: undefined })} />
      <div className="flex shrink-0 items-center gap-1.5 border-b border-line px-6 py-2.5 max-md:overflow-x-auto max-md:px-4">
        <FilterMenu label="State" value={state ?? ""} rest="" choices={choices("any state", states)} onChange={(next) => change({ state: next || undefined })} />
        <FilterMenu label="Kind" value={kind ?? ""} rest="" choices={choices("any kind", kinds.map((one) => one.kind))} onChange={(next) => change({ kind: next || undefined })} />
      </div>
      <Fetched query={jobs} what="jobs" empty={items.length === 0 && nothing}>
        <DataList key={`${state} ${kind}`} label="Jobs, newest first" columns={columns} items={items} keyOf={keyOf} onNearEnd={more} opened={job?.job_id} onOpen={setOpened} />
      </Fetched>
      {job && <JobPane key={job.job_id} job={job} onClose={() => setOpened(undefined)} />}
    </div>
  );
}
