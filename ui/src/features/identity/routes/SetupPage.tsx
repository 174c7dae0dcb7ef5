import { useNavigate, useSearch } from "@tanstack/react-router";
import { useSuspenseQuery } from "@tanstack/react-query";
import { setupQuery } from "../api";
import { Gate } from "../components/Gate";
import { SetupForm } from "../components/SetupForm";

export function SetupPage() {
  const { token } = useSearch({ strict: false });
  const navigate = useNavigate();
  const { data } = useSuspenseQuery(setupQuery);
  return (
    <Gate title="Light the hearth" lead="Name your workspace and make the account that owns it.">
      <SetupForm token={token} tokenRequired={data.token_required} onDone={() => void navigate({ to: "/memory", replace: true })} />
    </Gate>
  );
}
