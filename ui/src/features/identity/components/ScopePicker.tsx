import { Checkbox } from "@base-ui/react/checkbox";
import { Icon } from "@/components/icons";
import { usePrincipal } from "@/lib/principal";
import { scopes } from "../scopes";

export function ScopePicker({ chosen, onChange, error }: { chosen: string[]; onChange: (scopes: string[]) => void; error?: string }) {
  // A key never holds more than its maker.
  const { scopes: own } = usePrincipal();
  return (
    <fieldset className="grid gap-1">
      <legend className="mb-1.5 font-medium">What it may do</legend>
      {scopes.filter(({ name }) => own.includes(name)).map(({ name, grants }) => (
        <label key={name} htmlFor={`scope-${name}`} className="flex cursor-pointer items-start gap-2.5 rounded py-1.5 max-sm:py-2.5">
          <Checkbox.Root
            id={`scope-${name}`}
            checked={chosen.includes(name)}
            onCheckedChange={(on) => onChange(on ? [...chosen, name] : chosen.filter((scope) => scope !== name))}
            className="mt-0.5 grid size-4 shrink-0 place-items-center rounded-sm border border-edge bg-raised data-checked:border-fire data-checked:bg-fire data-checked:text-on-fire"
          >
            <Checkbox.Indicator>
              <Icon name="check" className="size-3.5" />
            </Checkbox.Indicator>
          </Checkbox.Root>
          <code className="w-30 shrink-0 font-mono text-sm leading-5">{name}</code>
          <span className="text-sm text-muted">{grants}</span>
        </label>
      ))}
      {error && <p className="text-sm text-bad">The list {error}.</p>}
    </fieldset>
  );
}
