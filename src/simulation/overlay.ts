// SPDX-License-Identifier: Apache-2.0

/** The same object with some of its methods replaced; the others still run on the object itself. */
export function overlay<Target extends object>(target: Target, changed: Partial<Target>): Target {
  return new Proxy(target, {
    get: (of, name) => {
      const own: unknown = Object.hasOwn(changed, name) ? Reflect.get(changed, name) : undefined;
      if (own !== undefined) return own;
      const found: unknown = Reflect.get(of, name, of);
      return typeof found === 'function' ? found.bind(of) : found;
    },
  });
}
