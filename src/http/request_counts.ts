/**
 * How many requests were answered, by route and status. Two look-ups a request: one
 * by labels, as metrics have it, takes longer than all the rest that is counted.
 * Main thread only.
 */
export class RequestCounts {
  readonly #byRoute = new Map<string, Map<number, number>>();

  /** `route` is a route's name, never what a client made up. */
  add(route: string, status: number): void {
    let byStatus = this.#byRoute.get(route);
    if (byStatus === undefined) {
      this.#byRoute.set(route, byStatus = new Map());
    }
    byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
  }

  each(tell: (route: string, status: number, count: number) => void): void {
    for (const [route, byStatus] of this.#byRoute) {
      for (const [status, count] of byStatus) tell(route, status, count);
    }
  }
}
