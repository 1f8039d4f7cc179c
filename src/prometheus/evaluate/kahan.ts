/**
 * Sums that keep what rounding takes away (Neumaier's improvement of Kahan's
 * algorithm): the sum is `sum + compensation` in the end. Any thread.
 */

export class KahanSum {
  sum = 0;
  compensation = 0;

  set(sum: number, compensation = 0): void {
    this.sum = sum;
    this.compensation = compensation;
  }

  /** Fast path: called for every sample. */
  add(value: number): void {
    const total = this.sum + value;
    if (total === Infinity || total === -Infinity) this.compensation = 0;
    else if (Math.abs(this.sum) >= Math.abs(value)) {
      this.compensation += (this.sum - total) + value;
    } else this.compensation += (value - total) + this.sum;
    this.sum = total;
  }

  /** An infinite sum stays what it is. */
  get total(): number {
    return Number.isFinite(this.sum) ? this.sum + this.compensation : this.sum;
  }
}
