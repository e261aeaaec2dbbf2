/** The picture on the home page: two people in the middle of drawing one boat. */
export function Harbour() {
  return (
    <svg className="home__picture" viewBox="0 0 480 380" role="img" aria-label="Two people draw a boat together">
      <rect className="home__sheet" x="14" y="14" width="452" height="352" rx="22" />
      <g className="home__grid">
        {Array.from({ length: 11 * 8 }, (_, i) => (
          <circle key={i} cx={50 + (i % 11) * 38} cy={52 + Math.floor(i / 11) * 38} r="1.4" />
        ))}
      </g>
      <g fill="none" strokeLinecap="round" strokeLinejoin="round" strokeWidth="4">
        <path className="home__ink" d="M238 84c2 46 1 92 0 142M241 86c46 28 74 70 82 122-28-9-54-9-80 2" />
        <path className="home__ink" d="M228 112c-30 28-50 62-62 100 22-9 42-10 62-5" />
        <path className="home__hull" d="M132 242c72 8 142 8 212-2-12 34-34 52-62 58-36 7-72 6-98-2-26-9-43-27-52-54z" />
        <path
          className="home__wave"
          d="M58 312c22-16 40-16 60 0s40 16 60 0 40-16 62 0 40 16 60 0 40-16 60 0 36 13 56 2"
        />
        <path
          className="home__wave home__wave--far"
          d="M92 338c20-12 36-12 54 0s36 12 54 0 36-12 56 0 36 12 54 0 36-12 54 0"
        />
        <path className="home__sun" d="M372 92c1-17 13-29 30-29s30 13 29 31-14 28-31 27-29-13-28-29z" />
      </g>
      <Cursor x={326} y={206} name="Ada" hue={250} />
      <Cursor x={128} y={236} name="Grace" hue={20} />
    </svg>
  );
}

function Cursor({
  x,
  y,
  name,
  hue,
}: {
  readonly x: number;
  readonly y: number;
  readonly name: string;
  readonly hue: number;
}) {
  return (
    <g transform={`translate(${x} ${y})`} style={{ color: `hsl(${hue} 75% 62%)` }}>
      <path d="M0 0 6 22l6-9 11-2z" fill="currentColor" stroke="#fff" strokeWidth="2" strokeLinejoin="round" />
      <rect x="14" y="18" width={18 + name.length * 9} height="25" rx="12" fill="currentColor" />
      <text x={23 + name.length * 4.5} y="35" textAnchor="middle" fill="#fff" fontSize="14" fontWeight="600">
        {name}
      </text>
    </g>
  );
}
