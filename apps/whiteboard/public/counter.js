import { createClient } from './client.js';
const counters = await createClient({ url: location.origin }).open('counters');
await counters.put('clicks', { n: 0 }, { if: { absent: true } }).catch(() => {}); // somebody was first
const button = document.querySelector('#count');
const show = () => (button.textContent = counters.get('clicks')?.n ?? 0);
counters.subscribe(show);
button.onclick = () => counters.increment('clicks', 'n', 1); // shown at once; resolves when it is committed
show();
