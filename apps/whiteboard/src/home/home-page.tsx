import './home.css';
import { useState } from 'react';
import { addressOf, newBoardId, titleOf } from '../board-id.js';
import { cleanName, colourOf, NAME_CHARS_MAX, readPerson, writePerson } from '../person.js';
import { forgetBoard, readRecentBoards, type RecentBoard } from '../recent-boards.js';
import { Harbour } from './harbour.js';

export function HomePage() {
  const [boards, setBoards] = useState(readRecentBoards);
  const forget = (id: string): void => {
    forgetBoard(id);
    setBoards(readRecentBoards());
  };
  return (
    <div className="home">
      <main className="home__main">
        <section className="home__hero">
          <div className="home__words">
            <p className="home__brand">
              <img src="/favicon.svg" alt="" /> Homeport
            </p>
            <h1>Draw together. Lose nothing.</h1>
            <p className="home__lead">
              A whiteboard for everybody with the link. When it says <em>Saved</em>, it is: on disk, exactly once, even
              if the power goes the moment after.
            </p>
            <div className="home__begin">
              <a className="hp-button home__new" href={`/board/${newBoardId()}`}>
                <span aria-hidden="true">+</span> New board
              </a>
              <YourName />
            </div>
          </div>
          <Harbour />
        </section>
        <section aria-labelledby="recent">
          <h2 id="recent">{boards.length > 0 ? 'Where you left off' : 'Nothing here yet'}</h2>
          {boards.length > 0 ? (
            <ul className="home__boards">
              {boards.map((board) => (
                <BoardCard key={board.id} board={board} forget={forget} />
              ))}
            </ul>
          ) : (
            <p className="home__empty">Boards that you open are listed here, in this browser only.</p>
          )}
        </section>
      </main>
      <footer className="home__foot">
        One home per document, acknowledged means committed. <a href="/docs">HTTP interface</a>
      </footer>
    </div>
  );
}

function YourName() {
  const [person, setPerson] = useState(readPerson);
  const rename = (name: string): void => {
    setPerson({ ...person, name });
    if (cleanName(name)) writePerson({ ...person, name: cleanName(name) });
  };
  return (
    <label className="home__name">
      <span className="home__dot" style={{ background: colourOf(person.hue) }} aria-hidden="true" />
      <span className="home__name-label">You are</span>
      <input
        value={person.name}
        maxLength={NAME_CHARS_MAX}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => rename(event.target.value)}
        onBlur={() => setPerson(readPerson())}
        aria-label="Your name"
      />
    </label>
  );
}

function BoardCard({ board, forget }: { readonly board: RecentBoard; readonly forget: (id: string) => void }) {
  const [copied, setCopied] = useState(false);
  const title = titleOf(board.id);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(addressOf(board.id));
    setCopied(true);
  };
  return (
    <li className="home__card">
      <a href={`/board/${encodeURIComponent(board.id)}`} className="home__open" aria-label={`Open ${title}`}>
        {board.picture ? <img src={board.picture} alt="" /> : <span className="home__blank" aria-hidden="true" />}
        <strong>{title}</strong>
        <small>{ago(board.openedAt)}</small>
      </a>
      <div className="home__actions">
        <button type="button" onClick={() => void copy()} onBlur={() => setCopied(false)}>
          {copied ? 'Copied' : 'Copy link'}
        </button>
        <button type="button" onClick={() => forget(board.id)} aria-label={`Forget ${title}`}>
          Forget
        </button>
      </div>
    </li>
  );
}

const STEPS: readonly [unit: Intl.RelativeTimeFormatUnit, ms: number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

function ago(at: number): string {
  const pastMs = Date.now() - at;
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  const step = STEPS.find(([, ms]) => pastMs >= ms);
  return step ? format.format(-Math.floor(pastMs / step[1]), step[0]) : 'just now';
}
