import type { components } from "./schema";

type Problem = components["schemas"]["ProblemBody"];

/** The server words its messages as parts of a log line; people read sentences. */
const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

/** What the server refused, or that it could not be reached (status 0). */
export class ProblemError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  /** What is wrong with a field, said after its name: "is 1 to 64 characters". */
  readonly fields: Record<string, string>;
  /** Seconds until a retry makes sense, when the server said so. */
  readonly retryAfterSeconds: number | null;

  constructor(problem: Partial<Problem> & { status: number }, retryAfterSeconds: number | null = null) {
    super(sentence(problem.detail || problem.title || `The server answered ${problem.status}`));
    this.name = "ProblemError";
    this.status = problem.status;
    this.code = problem.code ?? "unknown";
    this.requestId = problem.request_id ?? null;
    this.fields = Object.fromEntries((problem.errors ?? []).map(({ field, message }) => [field, message]));
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export async function readProblem(response: Response): Promise<ProblemError> {
  const body: unknown = await response.json().catch(() => null);
  const problem = body && typeof body === "object" ? (body as Partial<Problem>) : {};
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
  return new ProblemError(
    {
      ...problem,
      status: response.status,
      request_id: problem.request_id ?? response.headers.get("X-Request-ID") ?? undefined,
    },
    Number.isFinite(seconds) ? seconds : null,
  );
}

export const unreachable = () =>
  new ProblemError({
    status: 0,
    code: "unreachable",
    detail: "The server cannot be reached. Check that Hearth is running and that you are online, then try again.",
  });
