import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { redraw } from '../../src/dash/redraw.ts';

const { document } = parseHTML('<html><body></body></html>');
const SVG = 'http://www.w3.org/2000/svg';

/** A picture, or a part of one. */
interface Part {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (Part | string)[];
}

function make({ tag, attributes, children }: Part): SVGSVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.map((child) => (typeof child === 'string' ? child : make(child))));
  return element as unknown as SVGSVGElement;
}

/** What is drawn, whatever the order in which its attributes were set. */
const drawn = (node: Node): unknown =>
  node.nodeType === 3
    ? node.nodeValue
    : [
        node.nodeName,
        [...(node as Element).attributes].map(({ name, value }) => `${name}=${value}`).sort(),
        [...node.childNodes].map(drawn),
      ];

const attributes = fc.dictionary(
  fc.constantFrom('d', 'fill', 'transform'),
  fc.constantFrom('', 'a', 'M0,0'),
);
const { picture } = fc.letrec<{ readonly picture: Part; readonly part: Part | string }>((tie) => ({
  part: fc.oneof({ depthSize: 'small' }, fc.constantFrom('5', '10'), tie('picture')),
  picture: fc.record({
    tag: fc.constantFrom('g', 'path', 'text'),
    attributes,
    children: fc.array(tie('part'), { maxLength: 4 }),
  }),
}));

describe('a picture that is shown', () => {
  test('becomes any other', () => {
    fc.assert(
      fc.property(picture, picture, (before, after) => {
        const shown = make({ ...before, tag: 'svg' });
        const wanted = { ...after, tag: 'svg' };
        redraw(shown, make(wanted));
        expect(drawn(shown)).toEqual(drawn(make(wanted)));
      }),
    );
  });

  test('keeps its parts', () => {
    const axis = (text: string, d: string): Part => ({
      tag: 'svg',
      attributes: {},
      children: [
        { tag: 'text', attributes: {}, children: [text] },
        { tag: 'path', attributes: { d }, children: [] },
      ],
    });
    const shown = make(axis('5', 'M0,0'));
    const parts = [...shown.childNodes];
    redraw(shown, make(axis('10', 'M1,1')));
    expect([...shown.childNodes]).toEqual(parts);
    expect(drawn(shown)).toEqual(drawn(make(axis('10', 'M1,1'))));
  });

  test('keeps the names of its clips, which no other picture has', () => {
    const clipped = (ids: readonly string[], more: number): Part => ({
      tag: 'svg',
      attributes: {},
      children: [
        ...ids.map((id) => ({ tag: 'clipPath', attributes: { id }, children: [] })),
        ...Array.from({ length: more }, (_, i) => ({
          ...{ tag: 'g', children: [] },
          attributes: { 'clip-path': `url(#${ids[i % ids.length]})` },
        })),
      ],
    });
    const shown = make(clipped(['one'], 1));
    redraw(shown, make(clipped(['two'], 3)));
    expect(drawn(shown)).toEqual(drawn(make(clipped(['one'], 3))));
    redraw(shown, make(clipped(['three', 'four'], 4)));
    expect(drawn(shown)).toEqual(drawn(make(clipped(['one', 'four'], 4))));
  });
});
