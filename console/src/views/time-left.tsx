// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from 'react';
import { Chip, lasting, Time } from '../parts.tsx';
import { useSession } from '../session.tsx';

/** The time until nobody's decision means no. */
export function TimeLeft({ until }: { readonly until: number }) {
  const session = useSession();
  const [now, setNow] = useState(session.nowMs());
  useEffect(() => {
    const timer = setInterval(() => setNow(session.nowMs()), 1_000);
    return () => clearInterval(timer);
  }, [session]);
  const leftMs = until - now;
  return (
    <Chip tone={leftMs < 60_000 ? 'bad' : leftMs < 300_000 ? 'warn' : 'plain'}>
      {leftMs <= 0 ? 'expired' : <>{lasting(leftMs)} left<span className="unseen">, until <Time at={until} /></span></>}
    </Chip>
  );
}
