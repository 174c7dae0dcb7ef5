import { Toast } from "@base-ui/react/toast";

export const toasts = Toast.createToastManager();
export const notify = (title: string, description?: string) => toasts.add({ title, description });
