import { Field } from "@/components/Field";
import type { judgePassword } from "../password";
import { PasswordStrength } from "./PasswordStrength";

interface NewAccountFieldsProps {
  username: string;
  onUsername: (username: string) => void;
  password: string;
  onPassword: (password: string) => void;
  strength: ReturnType<typeof judgePassword>;
  errors: Partial<Record<string, string>>;
}

/** The name and the password that a new account will sign in with. */
export function NewAccountFields({ username, onUsername, password, onPassword, strength, errors }: NewAccountFieldsProps) {
  return (
    <>
      <Field label="Your username" required value={username} onChange={(event) => onUsername(event.target.value)} autoComplete="username" autoCapitalize="none" spellCheck={false} error={errors.username} />
      <Field
        label="Password"
        type="password"
        required
        value={password}
        onChange={(event) => onPassword(event.target.value)}
        autoComplete="new-password"
        error={errors.password}
        hint={password ? <PasswordStrength strength={strength} /> : "At least 12 characters. A phrase is easier to keep than symbols."}
      />
    </>
  );
}
