import type { ReactNode } from 'react';

interface NoticeProps {
  readonly title: string;
  readonly waiting?: boolean;
  readonly children?: ReactNode;
}

/** A page that has one thing to say. */
export function Notice({ title, waiting = false, children }: NoticeProps) {
  return (
    <main className="hp-notice" aria-busy={waiting}>
      <img
        src="/favicon.svg"
        alt=""
        className={waiting ? 'hp-notice__mark hp-notice__mark--waiting' : 'hp-notice__mark'}
      />
      <h1>{title}</h1>
      {children}
    </main>
  );
}
