import type { CSSProperties, ReactNode } from "react";
import { VirtualList } from "@/components/VirtualList";
import { cx } from "@/lib/cx";
import { walkRows } from "@/lib/walkRows";

export interface Column<T> {
  /** Also read out before each cell. */
  head: string;
  /** Track of the grid: "8rem", or "minmax(0,1fr)" for what may be cut. */
  track: string;
  /** Null where a row has nothing to say. */
  cell: (row: T) => ReactNode;
  /** Says enough without its column's name. */
  isPlain?: boolean;
  /** Numbers stand at the end of their column. */
  atEnd?: boolean;
}

interface DataListProps<T> {
  label: string;
  /** The first names the row. */
  columns: Column<T>[];
  items: T[];
  keyOf: (row: T) => string;
  onNearEnd?: () => void;
  onOpen?: (row: T) => void;
  /** Key of the row whose details are open. */
  opened?: string;
  /** Buttons of a row. */
  actions?: (row: T) => ReactNode;
  after?: ReactNode;
}

const line = "gap-x-3 px-6 @max-4xl:px-4 @4xl:grid @4xl:grid-cols-(--columns) @4xl:items-center";
const opener =
  "block w-full min-w-0 truncate text-left after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:rounded-sm focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-glow";
const never = () => {};

function Head<T>({ columns }: { columns: Column<T>[] }) {
  return (
    <div aria-hidden="true" className={cx(line, "sticky top-0 z-20 h-9 border-b border-line bg-canvas text-sm text-faint @max-4xl:hidden")}>
      {columns.map(({ head, atEnd }) => (
        <span key={head} className={cx("truncate", atEnd && "text-right")}>
          {head}
        </span>
      ))}
    </div>
  );
}

function Cell<T>({ column: { head, cell, isPlain, atEnd }, row }: { column: Column<T>; row: T }) {
  const said = cell(row);
  const look = cx("min-w-0 text-muted tabular-nums @max-4xl:flex @max-4xl:items-center @max-4xl:gap-1 @max-4xl:text-sm", atEnd && "@4xl:text-right");
  if (said == null || said === "") {
    return (
      <div className={cx(look, "text-faint @max-4xl:hidden")}>
        <span className="sr-only">{head} none</span>
        <span aria-hidden="true">–</span>
      </div>
    );
  }
  return (
    <div className={look}>
      <span className={isPlain ? "sr-only" : "shrink-0 text-faint @4xl:sr-only"}>{head} </span>
      {said}
    </div>
  );
}

/** Rows under column names where there is room; each row in a few short lines where there is not. */
export function DataList<T>({ label, columns, items, keyOf, onNearEnd = never, onOpen, opened, actions, after }: DataListProps<T>) {
  const [title, ...rest] = columns as [Column<T>, ...Column<T>[]];
  const tracks = [...columns.map(({ track }) => track), ...(actions ? ["minmax(4.5rem,auto)"] : [])].join(" ");
  const draw = (row: T) => (
    <div className={cx(line, "relative min-h-10 gap-y-0.5 border-b border-line py-1 @max-4xl:grid @max-4xl:grid-cols-[minmax(0,1fr)_auto] @max-4xl:items-center @max-4xl:py-2.5", onOpen && "hover:bg-hover/60", opened === keyOf(row) && "bg-hover")}>
      <div className="min-w-0">
        {onOpen ? (
          <button type="button" data-row aria-expanded={opened === keyOf(row)} onClick={() => onOpen(row)} onKeyDown={walkRows} className={opener}>
            {title.cell(row)}
          </button>
        ) : (
          title.cell(row)
        )}
      </div>
      <div className="@max-4xl:col-span-full @max-4xl:row-start-2 @max-4xl:flex @max-4xl:flex-wrap @max-4xl:gap-x-3 @4xl:contents">
        {rest.map((column) => (
          <Cell key={column.head} column={column} row={row} />
        ))}
      </div>
      {actions && <div className="relative z-10 flex justify-end gap-1 @max-4xl:col-start-2 @max-4xl:row-start-1">{actions(row)}</div>}
    </div>
  );
  return (
    <div className="@container flex min-h-0 grow flex-col" style={{ "--columns": tracks } as CSSProperties}>
      <VirtualList label={label} items={items} estimate={41} keyOf={keyOf} before={<Head columns={columns} />} after={after} onNearEnd={onNearEnd} render={draw} />
    </div>
  );
}
