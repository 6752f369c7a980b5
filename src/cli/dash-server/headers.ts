const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' " +
  "data: blob:; connect-src 'self' data:; worker-src blob:; base-uri 'none'; form-action " +
  "'none'";

/**
 * What every answer carries: no other site may embed or read the page, nor frame it but the named
 * ones, and the page may reach no other.
 *
 * @param frames origins of pages that may show this one in a frame
 */
export function securityHeaders(frames: readonly string[]): Readonly<Record<string, string>> {
  const ancestors = frames.length > 0 ? ["'self'", ...frames].join(' ') : "'none'";
  return {
    'Content-Security-Policy': `${POLICY}; frame-ancestors ${ancestors}`,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': frames.length > 0 ? 'cross-origin' : 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    ...(frames.length > 0 ? {} : { 'X-Frame-Options': 'DENY' }),
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
  };
}
