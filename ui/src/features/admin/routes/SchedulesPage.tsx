import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { DataList, type Column } from "@/components/DataList";
import { Empty } from "@/components/Empty";
import { Fetched } from "@/components/Fetched";
import { PageHead } from "@/components/PageHead";
import { formatDateTime, formatRelative } from "@/lib/format";
import { useTitle } from "@/lib/useTitle";
import { schedulesQuery, type Schedule } from "../api/jobs";

const keyOf = (schedule: Schedule) => schedule.name;
const when = (at: string | null | undefined) => at && `${formatDateTime(at)}, ${formatRelative(at)}`;
const catchUps: Record<string, string> = { skip: "are skipped", once: "run once", all: "all run" };

const columns: Column<Schedule>[] = [
  { head: "Schedule", track: "minmax(0,0.8fr)", cell: ({ name }) => <span className="font-medium">{name}</span> },
  { head: "Runs at", track: "minmax(0,1fr)", cell: ({ cron, time_zone }) => <><code className="font-mono text-sm">{cron}</code> {time_zone}</> },
  { head: "Next", track: "minmax(0,1.3fr)", cell: ({ next_at }) => when(next_at) },
  { head: "Last", track: "minmax(0,1.3fr)", cell: ({ last_fired_at }) => when(last_fired_at) },
  { head: "Missed runs", track: "7rem", cell: ({ catch_up }) => catchUps[catch_up] ?? catch_up },
];

const none = (
  <Empty title="Nothing is scheduled">
    <p className="text-muted">Schedules come with the server’s settings, such as BACKUP_SCHEDULE. None is switched on.</p>
  </Empty>
);

export function SchedulesPage() {
  useTitle("Schedules");
  const schedules = useQuery(schedulesQuery);
  const items = schedules.data?.items ?? [];
  return (
    <div className="flex h-full flex-col">
      <PageHead title="Schedules" note="What starts by itself. Each run is a job, started once however many servers run." />
      <Fetched query={schedules} what="schedules" empty={items.length === 0 && none}>
        <DataList
          label="Schedules"
          columns={columns}
          items={items}
          keyOf={keyOf}
          actions={({ kind, name }) => (
            <Link to="/admin/jobs" search={{ kind }} aria-label={`Jobs of ${name}`} className="grid h-8 place-items-center rounded px-3 text-muted hover:bg-hover hover:text-ink">
              Jobs
            </Link>
          )}
        />
      </Fetched>
    </div>
  );
}
