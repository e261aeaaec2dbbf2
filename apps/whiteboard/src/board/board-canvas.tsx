import '@excalidraw/excalidraw/index.css';
import { Excalidraw } from '@excalidraw/excalidraw';
import type { AppState, ExcalidrawImperativeAPI, ExcalidrawProps } from '@excalidraw/excalidraw/types';
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { Client } from '@homeport/client';
import { titleOf } from '../board-id.js';
import type { Credentials } from '../credentials.js';
import { readPerson, writePerson, type Person } from '../person.js';
import { onSystemTheme, readTheme, resolved, writeTheme, type Theme } from '../theme.js';
import { bind, type Bound } from './bound-scene.js';
import { BoardMenu } from './board-menu.js';
import { collaboratorsOf, participantsOf, selectionOf } from './people.js';
import { PeopleList } from './people-list.js';
import { StatusChip, useStatus } from './status-chip.js';
import { TokenForm } from './token-form.js';
import { holdsPictures, tellPictures, watchUnsupportedInput } from './unsupported-input.js';
import type { SharedBoard } from './use-board.js';

interface BoardCanvasProps {
  readonly id: string;
  readonly client: Client;
  readonly board: SharedBoard;
  readonly credentials: Credentials;
}

/** What would reach beyond the board, or replace it, is off. */
const UI_OPTIONS: NonNullable<ExcalidrawProps['UIOptions']> = {
  canvasActions: { clearCanvas: false, loadScene: false, saveToActiveFile: false, export: false, toggleTheme: true },
  tools: { image: false },
};

export function BoardCanvas({ id, client, board, credentials }: BoardCanvasProps) {
  const status = useStatus(board);
  const [api, setApi] = useState<ExcalidrawImperativeAPI>();
  const [person, setPerson] = useState(readPerson);
  const [theme, setTheme] = useTheme();
  const [skipped, setSkipped] = useState(0);
  const bound = useRef<Bound>(undefined);
  const others = useSyncExternalStore(
    useCallback((listener) => board.presence.subscribe(listener), [board]),
    () => board.presence.others,
  );
  const participants = useMemo(() => participantsOf(others), [others]);
  const tell = useCallback((message: string) => api?.setToast({ message, closable: true, duration: 8_000 }), [api]);

  useEffect(() => {
    api?.updateScene({ collaborators: collaboratorsOf(participants) });
  }, [api, participants]);
  useEffect(() => client.onError((error) => console.warn(error.message)), [client]);
  useEffect(() => watchUnsupportedInput(tell), [tell]);
  useEffect(() => () => bound.current?.close(), []);

  const changed = useCallback(
    (state: AppState) => {
      if (!api) return;
      // Before this first call Excalidraw replaces whatever is in the scene.
      bound.current ??= bind({ id, board, api, tell, skipped: setSkipped });
      bound.current.binding.sceneChanged();
      showSelf(board, state);
    },
    [api, board, id, tell],
  );
  const rename = (name: string): void => {
    const renamed: Person = { ...person, name };
    writePerson(renamed);
    setPerson(renamed);
    board.presence.set({ name });
  };

  const need = status.connection === 'unauthenticated' ? credentials.need : undefined;
  return (
    <div className="board" data-testid="board">
      <Excalidraw
        excalidrawAPI={setApi}
        initialData={{ appState: { viewBackgroundColor: '#ffffff', showWelcomeScreen: false } }}
        name={titleOf(id)}
        theme={resolved(theme)}
        isCollaborating
        autoFocus
        aiEnabled={false}
        validateEmbeddable={false}
        viewModeEnabled={status.access !== 'write'}
        UIOptions={UI_OPTIONS}
        onChange={(_elements, state) => changed(state)}
        onPointerUpdate={({ pointer, button }) => board.presence.set({ pointer, button })}
        onPaste={(data) => {
          if (!holdsPictures(data.elements)) return true;
          tellPictures(tell);
          return false;
        }}
        renderTopRightUI={() => (
          <div className="board__corner">
            <PeopleList self={person} others={participants} />
            <StatusChip board={board} skipped={skipped} />
          </div>
        )}
      >
        <BoardMenu id={id} person={person} rename={rename} theme={theme} setTheme={setTheme} tell={tell} />
      </Excalidraw>
      {need && (
        <div className="board__gate" role="dialog" aria-label="Token needed">
          <div className="board__gate-card">
            <h2>A token, please</h2>
            <TokenForm need={need} boardId={id} use={(token) => credentials.use(token)} />
          </div>
        </div>
      )}
    </div>
  );
}

/** Selection and caret, for the others; `set` merges, and leaves at most about 30 times a second. */
function showSelf(board: SharedBoard, { selectedElementIds, editingTextElement }: AppState): void {
  const selected = selectionOf(selectedElementIds);
  const editing = editingTextElement?.id ?? null;
  const key = [...selected, editing].join();
  if (lastShown.get(board) === key) return;
  lastShown.set(board, key);
  board.presence.set({ selected, editing });
}

const lastShown = new WeakMap<SharedBoard, string>();

function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(readTheme);
  const [, follow] = useState(0);
  useEffect(() => onSystemTheme(() => follow((count) => count + 1)), []);
  return [
    theme,
    (next) => {
      writeTheme(next);
      setTheme(next);
    },
  ];
}
