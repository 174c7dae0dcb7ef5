import { lazy, Suspense, useState } from "react";
import { useWaitingNotices } from "@/lib/toasts";

const Toasts = lazy(() => import("./Toasts").then((module) => ({ default: module.Toasts })));

/** Loads the toasts with the first one: most visits have none. */
export function ToastHost() {
  const waiting = useWaitingNotices();
  const [wanted, setWanted] = useState(false);
  if (waiting.length > 0 && !wanted) setWanted(true);
  return <Suspense>{wanted && <Toasts />}</Suspense>;
}
