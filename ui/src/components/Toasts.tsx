import { Toast } from "@base-ui/react/toast";
import { useEffect } from "react";
import { Icon } from "@/components/icons";
import { takeNotices, useWaitingNotices } from "@/lib/toasts";

function List() {
  const { toasts, add, close } = Toast.useToastManager();
  const waiting = useWaitingNotices();
  useEffect(() => {
    for (const { action, ...notice } of takeNotices()) {
      const id = add({
        ...notice,
        actionProps: action && {
          children: action.label,
          onClick: () => {
            close(id);
            action.run();
          },
        },
      });
    }
  }, [waiting, add, close]);
  return toasts.map((toast) => (
    <Toast.Root key={toast.id} toast={toast} className="appear flex items-center gap-3 rounded border border-line bg-raised py-2.5 pr-2 pl-4 shadow-lift data-limited:hidden">
      <Toast.Content className="grow">
        <Toast.Title className="font-medium" />
        <Toast.Description className="text-muted" />
      </Toast.Content>
      <Toast.Action className="h-7 rounded px-2 font-medium text-ember hover:bg-hover" />
      <Toast.Close aria-label="Dismiss" className="grid size-7 place-items-center rounded text-muted hover:bg-hover">
        <Icon name="close" />
      </Toast.Close>
    </Toast.Root>
  ));
}

export function Toasts() {
  return (
    <Toast.Provider timeout={5000}>
      <Toast.Portal>
        <Toast.Viewport className="fixed right-4 bottom-4 z-50 md:right-auto md:left-1/2 md:-translate-x-1/2 grid w-80 max-w-[calc(100vw-2rem)] gap-2 max-sm:bottom-20">
          <List />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}
