// Formulas in TeX, a line each (`name = formula`), as MathML that browsers draw by themselves: the
// page carries no program for them.
import katex from 'katex';

/**
 * A plugin of Vite that makes of `formulas.tex` a module whose default export is the MathML of each
 * formula by name.
 */
export const texFormulas = () => ({
  name: 'tex-formulas',
  transform(text, id) {
    if (!id.endsWith('.tex')) return undefined;
    const lines = text.split('\n').filter(Boolean);
    const formulas = Object.fromEntries(
      lines.map((line) => {
        const at = line.indexOf(' = ');
        return [line.slice(0, at), mathml(line.slice(at + 3))];
      }),
    );
    return { code: `export default ${JSON.stringify(formulas)};`, map: null };
  },
});

function mathml(tex) {
  const html = katex.renderToString(tex, {
    output: 'mathml',
    displayMode: true,
    throwOnError: true,
  });
  // The TeX that it was made of stands in an annotation, for programs that read it aloud or copy
  // it.
  const math = html.slice(html.indexOf('<math'), html.indexOf('</math>') + '</math>'.length);
  // Fonts without a table for mathematics put an index no lower than the letter before it reaches.
  return math.replace(
    /(<msub(?:sup)?>)(<m[io][^>]*>[^<]*<\/m[io]>)/g,
    '$1<mpadded depth="0.25em">$2</mpadded>',
  );
}
