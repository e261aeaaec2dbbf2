import { MainMenu } from '@excalidraw/excalidraw';
import { useState } from 'react';
import { addressOf, titleOf } from '../board-id.js';
import { cleanName, NAME_CHARS_MAX, type Person } from '../person.js';
import { resolved, type Theme } from '../theme.js';

interface BoardMenuProps {
  readonly id: string;
  readonly person: Person;
  readonly rename: (name: string) => void;
  readonly theme: Theme;
  readonly setTheme: (theme: Theme) => void;
  readonly tell: (message: string) => void;
}

export function BoardMenu({ id, person, rename, theme, setTheme, tell }: BoardMenuProps) {
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(addressOf(id));
    tell('The link to this board is copied.');
  };
  return (
    <MainMenu>
      <MainMenu.ItemCustom>
        <div className="menu-head">
          <strong>{titleOf(id)}</strong>
          <NameField name={person.name} rename={rename} />
        </div>
      </MainMenu.ItemCustom>
      <MainMenu.Item icon={<LinkIcon />} onSelect={() => void copy()}>
        Copy link
      </MainMenu.Item>
      <MainMenu.Item icon={<HomeIcon />} onSelect={() => location.assign('/')}>
        All boards
      </MainMenu.Item>
      <MainMenu.Separator />
      <MainMenu.DefaultItems.SaveAsImage />
      <MainMenu.DefaultItems.SearchMenu />
      <MainMenu.DefaultItems.Help />
      <MainMenu.Separator />
      <MainMenu.DefaultItems.ToggleTheme allowSystemTheme theme={theme} onSelect={setTheme} />
      <MainMenu.DefaultItems.ChangeCanvasBackground key={resolved(theme)} />
    </MainMenu>
  );
}

function NameField({ name, rename }: { readonly name: string; readonly rename: (name: string) => void }) {
  const [text, setText] = useState(name);
  const done = (): void => {
    const cleaned = cleanName(text);
    setText(cleaned || name);
    if (cleaned && cleaned !== name) rename(cleaned);
  };
  return (
    <label>
      You are
      <input
        value={text}
        maxLength={NAME_CHARS_MAX}
        onChange={(event) => setText(event.target.value)}
        onBlur={done}
        // The menu would take letters as shortcuts.
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === 'Enter') done();
        }}
      />
    </label>
  );
}

function LinkIcon() {
  return (
    <svg
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      aria-hidden="true"
    >
      <path d="M8.5 11.5a3.2 3.2 0 0 0 4.6 0l2.6-2.6a3.2 3.2 0 0 0-4.6-4.6l-1 1M11.500 8.500a3.200 3.200 0 0 0-4.600 0l-2.600 2.600a3.200 3.200 0 0 0 4.600 4.600l1-1" />
    </svg>
  );
}

function HomeIcon() {
  return (
    <svg
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d="M3.500 9 10 3.500 16.500 9v7.500h-4.500v-4.500h-4v4.500h-4.500z" />
    </svg>
  );
}
