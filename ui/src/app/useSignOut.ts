import { useMutation, useQueryClient } from "@tanstack/react-query";
import { sessionQuery, signOut } from "@/features/identity/api";
import { notify } from "@/lib/toasts";

/** Ends the session; `Inside` then leads to the sign-in page. */
export function useSignOut(): () => void {
  const queries = useQueryClient();
  const { mutate } = useMutation({
    mutationFn: signOut,
    onSuccess: () => queries.setQueryData(sessionQuery.queryKey, null),
    onError: (error) => notify("You are still signed in", error.message),
  });
  return mutate;
}
