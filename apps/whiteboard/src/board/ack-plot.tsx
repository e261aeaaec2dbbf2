import type { AckSample } from '@homeport/client';

const SHOWN_MAX = 48;
const [WIDTH, HEIGHT] = [216, 44];

/** How long the latest changes took until they were on disk, oldest first; the line is the median. */
export function AckPlot({ samples }: { readonly samples: readonly AckSample[] }) {
  const took = samples.slice(-SHOWN_MAX).map(({ tookMs }) => tookMs);
  if (took.length === 0) return <p className="chip__note">Nothing was saved from here yet.</p>;
  const sorted = [...took].sort((a, b) => a - b);
  const [median, top] = [sorted[Math.floor(sorted.length / 2)]!, Math.max(sorted.at(-1)!, 10)];
  const [step, scale] = [WIDTH / SHOWN_MAX, HEIGHT / top];
  return (
    <figure className="chip__plot">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`Half of them within ${words(median)}`}>
        {took.map((ms, i) => {
          const height = Math.max(1.5, ms * scale);
          return <rect key={i} x={i * step} y={HEIGHT - height} width={step - 1.2} height={height} rx="1" />;
        })}
        <line x1="0" x2={WIDTH} y1={HEIGHT - median * scale} y2={HEIGHT - median * scale} />
      </svg>
      <figcaption>
        <span>Saved within {words(took.at(-1)!)}</span>
        <span>median {words(median)}</span>
      </figcaption>
    </figure>
  );
}

function words(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
