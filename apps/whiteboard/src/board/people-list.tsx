import { colourOf, type Person } from '../person.js';
import type { Participant } from './people.js';

const SHOWN_MAX = 5;

/** Who is here: oneself first. */
export function PeopleList({ self, others }: { readonly self: Person; readonly others: readonly Participant[] }) {
  const hidden = Math.max(0, others.length - SHOWN_MAX);
  return (
    <ul className="people" aria-label={`${others.length + 1} here`}>
      {others.slice(0, SHOWN_MAX).map(({ session, name, hue, editing }) => (
        <Face key={session} name={name} hue={hue} title={editing === null ? name : `${name} is typing`} />
      ))}
      {hidden > 0 && (
        <li
          className="people__face people__face--more"
          title={others
            .slice(SHOWN_MAX)
            .map(({ name }) => name)
            .join(', ')}
        >
          +{hidden}
        </li>
      )}
      <Face name={self.name} hue={self.hue} title={`${self.name} (you)`} self />
    </ul>
  );
}

interface FaceProps {
  readonly name: string;
  readonly hue: number;
  readonly title: string;
  readonly self?: boolean;
}

function Face({ name, hue, title, self = false }: FaceProps) {
  const className = self ? 'people__face people__face--self' : 'people__face';
  return (
    <li className={className} style={{ background: colourOf(hue) }} title={title} aria-label={title} data-name={name}>
      {initials(name)}
    </li>
  );
}

function initials(name: string): string {
  const words = name.split(' ').filter(Boolean);
  const letters = words.length > 1 ? [words[0]!, words.at(-1)!] : words;
  return letters
    .map((word) => String.fromCodePoint(word.codePointAt(0)!))
    .join('')
    .toUpperCase();
}
