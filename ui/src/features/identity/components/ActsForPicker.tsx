import { Radio } from "@base-ui/react/radio";
import { RadioGroup } from "@base-ui/react/radio-group";
import { usePrincipal } from "@/lib/principal";
import type { ActsFor } from "../api";

const choices: { value: ActsFor; label: string; meaning: string }[] = [
  { value: "self", label: "Mine", meaning: "What it records is yours, and you read it here." },
  { value: "anyone", label: "Anyone’s", meaning: "The program names the person (user_id) and each reads only their own." },
];

/** Whose memory a key works on; only an administrator may make one that serves everybody. */
export function ActsForPicker({ value, onChange }: { value: ActsFor; onChange: (value: ActsFor) => void }) {
  const { scopes } = usePrincipal();
  if (!scopes.includes("admin")) return null;
  return (
    <div className="grid gap-1">
      <p id="acts-for" className="mb-1.5 font-medium">
        Whose memory
      </p>
      <RadioGroup aria-labelledby="acts-for" value={value} onValueChange={onChange}>
        {choices.map((choice) => (
          <label key={choice.value} htmlFor={`acts-for-${choice.value}`} className="flex cursor-pointer items-start gap-2.5 rounded py-1.5 max-sm:py-2.5">
            <Radio.Root
              id={`acts-for-${choice.value}`}
              value={choice.value}
              className="mt-0.5 grid size-4 shrink-0 place-items-center rounded-full border border-edge bg-raised data-checked:border-fire data-checked:bg-fire"
            >
              <Radio.Indicator className="size-1.5 rounded-full bg-on-fire" />
            </Radio.Root>
            <span className="w-30 shrink-0 leading-5">{choice.label}</span>
            <span className="text-sm text-muted">{choice.meaning}</span>
          </label>
        ))}
      </RadioGroup>
    </div>
  );
}
