/// <reference types="vite/client" />

/** MathML of each formula, by its name. */
declare module '*.tex' {
  const formulas: Readonly<Record<string, string>>;
  export default formulas;
}
