// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef } from 'react';
import UPlot from 'uplot';
import { useLive } from '../stream.tsx';

const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim() || '#888';

/** GO, ESCALATE and NO-GO over the last minutes; the table behind it says the same in words. */
export function RateChart() {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<UPlot | null>(null);
  /** What is drawn, for a chart that is made anew in other colours. */
  const drawn = useRef<UPlot.AlignedData>([[], [], [], []]);
  const { seconds } = useLive();
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const make = (): void => {
      chart.current?.destroy();
      const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--line') }, ticks: { stroke: colour('--line') } };
      chart.current = new UPlot({
        width: element.clientWidth || 600,
        height: 150,
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_chart, _low, high) => [0, Math.max(5, high)] } },
        axes: [axis, { ...axis, size: 42 }],
        series: [
          {},
          { stroke: colour('--go'), width: 2 },
          { stroke: colour('--escalate'), width: 2 },
          { stroke: colour('--nogo'), width: 2 },
        ],
      }, drawn.current, element);
    };
    make();
    const resized = new ResizeObserver(() => chart.current?.setSize({ width: element.clientWidth, height: 150 }));
    resized.observe(element);
    const themed = new MutationObserver(make);
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    const scheme = window.matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', make);
    return () => {
      resized.disconnect();
      themed.disconnect();
      scheme.removeEventListener('change', make);
      chart.current?.destroy();
      chart.current = null;
    };
  }, []);
  useEffect(() => {
    const first = seconds[0]?.at ?? 0;
    const last = seconds.at(-1)?.at ?? 0;
    const known = new Map(seconds.map((second) => [second.at, second]));
    const length = Math.max(60, Math.min(300, last - first + 1));
    const ats = Array.from({ length }, (_, index) => last - length + 1 + index);
    const of = (pick: (second: { go: number; noGo: number; escalate: number }) => number): number[] =>
      ats.map((at) => {
        const second = known.get(at);
        return second === undefined ? 0 : pick(second);
      });
    if (last === 0) return;
    drawn.current = [ats, of((one) => one.go), of((one) => one.escalate), of((one) => one.noGo)];
    chart.current?.setData(drawn.current);
  }, [seconds]);
  const sum = seconds.reduce((all, one) => ({
    go: all.go + one.go, escalate: all.escalate + one.escalate, noGo: all.noGo + one.noGo,
  }), { go: 0, escalate: 0, noGo: 0 });
  return (
    <>
      <div ref={place} className="chart" aria-hidden="true" />
      <p className="legend">
        <span className="outcome go">✓ {sum.go} GO</span>{' '}
        <span className="outcome escalate">! {sum.escalate} ESCALATE</span>{' '}
        <span className="outcome nogo">✕ {sum.noGo} NO-GO</span>
        <span className="quiet"> in the stretch that this page has seen</span>
      </p>
    </>
  );
}
