import { Field } from "@/components/Field";
import { Select } from "@/components/Select";

interface WhoseFieldsProps<T extends string> {
  label: string;
  value: T;
  choices: { value: T; label: string; /** What names it; absent where nothing needs to be named. */ named?: string; hint?: string }[];
  name: string;
  onChange: (value: T) => void;
  onName: (name: string) => void;
  error?: string;
}

/** Whose data something is about: a choice, and the name that some choices need. */
export function WhoseFields<T extends string>({ label, value, choices, name, onChange, onName, error }: WhoseFieldsProps<T>) {
  const chosen = choices.find((choice) => choice.value === value);
  return (
    <>
      {choices.length > 1 && <Select label={label} value={value} choices={choices} onChange={(event) => onChange(event.target.value as T)} />}
      {chosen?.named && <Field label={chosen.named} value={name} onChange={(event) => onName(event.target.value)} required maxLength={256} autoComplete="off" hint={chosen.hint} error={error} />}
    </>
  );
}
