import { useState } from "react";
import { Icon } from "@/components/icons";
import { cx } from "@/lib/cx";
import { formatCount, formatDateTime, plural } from "@/lib/format";
import type { Bundle, BundleItem, BundleSection } from "../api/bundle";
import { sectionName, sharesOf } from "../bundleWords";
import { trustOf } from "../memoryWords";
import { RefLink } from "./RefLink";

const percent = (share: number) => `${(share * 100).toFixed(2)}%`;

function Item({ item: { text, source, actor, trust, occurred_at, token_est, refs, excerpt } }: { item: BundleItem }) {
  return (
    <li className="border-l-2 border-line pl-3">
      <p className="line-clamp-6 break-words whitespace-pre-wrap">{text}</p>
      <p className="text-sm text-muted tabular-nums">{[source.replace("_", " "), actor, trustOf(trust), formatDateTime(occurred_at), plural(token_est, "token"), excerpt && "excerpt"].filter(Boolean).join(" · ")}</p>
      <p className="flex flex-wrap gap-x-3">
        {refs.slice(0, 6).map((id) => (
          <RefLink key={id} id={id} />
        ))}
      </p>
    </li>
  );
}

function SectionRow({ section, bundle }: { section: BundleSection; bundle: Bundle }) {
  const [opened, setOpened] = useState(false);
  const { name, budget, token_est, items } = section;
  const { room, used } = sharesOf(section, bundle);
  const said = `${formatCount(token_est)} of ${formatCount(budget)}`;
  return (
    <li className="border-b border-line">
      <button type="button" aria-expanded={opened} disabled={items.length === 0} onClick={() => setOpened(!opened)} className="grid w-full grid-cols-[1rem_minmax(0,9rem)_minmax(0,1fr)_7rem] items-center gap-3 px-6 py-2.5 text-left enabled:hover:bg-hover/60 focus-visible:-outline-offset-2 max-md:grid-cols-[1rem_minmax(0,1fr)_7rem] max-md:px-4">
        <Icon name="down" className={cx("size-3 transition-transform", !opened && "-rotate-90", items.length === 0 && "invisible")} />
        <span className="min-w-0 truncate">
          {sectionName(name)} <span className="text-sm text-muted tabular-nums">{items.length > 0 && items.length}</span>
        </span>
        <span role="img" aria-label={`${said} tokens`} className="relative h-1.5 max-md:order-last max-md:col-span-full">
          <span className="absolute inset-y-0 left-0 rounded-full bg-track" style={{ width: percent(room) }} />
          <span className={cx("absolute inset-y-0 left-0 rounded-full", name === "reserve" ? "bg-context" : "bg-words")} style={{ width: percent(used) }} />
        </span>
        <span className="text-right text-sm text-muted tabular-nums">{said}</span>
      </button>
      {opened && (
        <ul className="grid gap-3 px-6 pt-1 pb-4 pl-13 max-md:px-4">
          {items.map((item, index) => (
            <Item key={index} item={item} />
          ))}
        </ul>
      )}
    </li>
  );
}

/** The sections against their budgets, all bars on one scale; each opens to what it holds. */
export function BundleSections({ bundle }: { bundle: Bundle }) {
  return (
    <ul aria-label="Sections">
      {bundle.sections.map((section) => (
        <SectionRow key={section.name} section={section} bundle={bundle} />
      ))}
    </ul>
  );
}
