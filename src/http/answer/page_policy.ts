/**
 * Pages tell browsers what they do without: nothing inline, nothing of others, no HTML made
 * of texts (web 6). Main thread.
 */

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** The policy of pages with a form and a style sheet, and no script. */
const FORM_POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

export interface PageTransport {
  readonly isSecure: boolean;
  /** The header of the request. */
  readonly host: string;
}

/** Headers of a page that runs scripts. */
export function pageHeaders(
  transport: PageTransport,
): Readonly<Record<string, string>> {
  return { ...commonHeaders(transport), "Content-Security-Policy": POLICY };
}

/** Headers of a page that is a form alone. */
export function formHeaders(
  transport: PageTransport,
): Readonly<Record<string, string>> {
  return {
    ...commonHeaders(transport),
    "Content-Security-Policy": FORM_POLICY,
  };
}

function commonHeaders({ isSecure, host }: PageTransport) {
  return {
    "X-Content-Type-Options": "nosniff",
    // Without any referrer browsers send forms with `Origin: null`, which is refused.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    // Elsewhere browsers do without and complain.
    ...(isSecure || isLoopback(host)
      ? { "Cross-Origin-Opener-Policy": "same-origin" }
      : {}),
  };
}

function isLoopback(host: string): boolean {
  return /^(localhost|[\w-]+\.localhost|127\.[\d.]+|\[::1\])(:\d*)?$/i
    .test(host);
}
