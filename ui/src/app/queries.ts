import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ProblemError } from "@/api/problem";
import { sessionQuery } from "@/features/identity/api";

const isRefused = (error: unknown) => error instanceof ProblemError && error.status >= 400 && error.status < 500;

/** Seconds until a caller who asked too much may ask again; a short while is waited for without a word. */
const pause = (error: unknown) => (error instanceof ProblemError && error.status === 429 ? error.retryAfterSeconds : null);
const mayRetry = (count: number, error: unknown) => count < 2 && (!isRefused(error) || (pause(error) ?? Infinity) <= 60);

export function makeQueryClient(): QueryClient {
  const onError = (error: unknown) => {
    // The session ended elsewhere: `Inside` sees the null and asks to sign in.
    if (error instanceof ProblemError && error.status === 401) client.setQueryData(sessionQuery.queryKey, null);
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: { staleTime: 15_000, retry: mayRetry, retryDelay: (count, error) => (pause(error) ?? 2 ** count) * 1000 },
    },
  });
  return client;
}
