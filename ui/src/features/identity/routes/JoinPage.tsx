import { useLocation, useNavigate } from "@tanstack/react-router";
import { Empty } from "@/components/Empty";
import { Gate } from "../components/Gate";
import { JoinForm } from "../components/JoinForm";

export function JoinPage() {
  const invitation = useLocation({ select: ({ hash }) => hash });
  const navigate = useNavigate();
  if (!invitation) {
    return (
      <Gate title="No invitation here" lead="The link was cut short.">
        <Empty title="Ask for the whole link">
          <p className="text-muted">An invitation link ends with “#” and a long word. Whoever invited you can make another.</p>
        </Empty>
      </Gate>
    );
  }
  return (
    <Gate title="Take a seat" lead="You were invited. Choose how you will sign in.">
      <JoinForm invitation={invitation} onDone={() => void navigate({ to: "/memory", replace: true })} />
    </Gate>
  );
}
