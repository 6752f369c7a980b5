// Functions of numeric/elementary, for what is rare.
export declare function hypot(a: f64, b: f64, c: f64): f64;
export declare function log10(x: f64): f64;
