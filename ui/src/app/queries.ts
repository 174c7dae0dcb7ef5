import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ProblemError } from "@/api/problem";
import { sessionQuery } from "@/features/identity/api";

const isRefused = (error: unknown) => error instanceof ProblemError && error.status >= 400 && error.status < 500;

export function makeQueryClient(): QueryClient {
  const onError = (error: unknown) => {
    // The session ended elsewhere: `Inside` sees the null and asks to sign in.
    if (error instanceof ProblemError && error.status === 401) client.setQueryData(sessionQuery.queryKey, null);
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: { staleTime: 15_000, retry: (count, error) => !isRefused(error) && count < 2 },
    },
  });
  return client;
}
