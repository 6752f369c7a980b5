/**
 * Turns a picture that is shown into another one, whose parts it takes: what is the same in both
 * stays as it is, so that a browser has to lay out and paint only what has changed. What stands at
 * the same place under the same name is the same part.
 */
export function redraw(shown: SVGSVGElement, wanted: SVGSVGElement): void {
  become(shown, wanted, namesOfClips(shown, wanted));
}

/**
 * A picture names its clips by numbers that no other has: those that are shown keep theirs.
 *
 * @returns references to clips of the wanted picture, and what is to stand for them
 */
function namesOfClips(shown: Element, wanted: Element): ReadonlyMap<string, string> {
  const before = shown.querySelectorAll('clipPath');
  const names = [...wanted.querySelectorAll('clipPath')].flatMap((clip, i) => {
    const id = before[i]?.id;
    if (!id) return [];
    const reference = `url(#${clip.id})`;
    clip.id = id;
    return [[reference, `url(#${id})`] as const];
  });
  return new Map(names);
}

function become(shown: Element, wanted: Element, names: ReadonlyMap<string, string>): void {
  for (const name of shown.getAttributeNames())
    if (!wanted.hasAttribute(name)) shown.removeAttribute(name);
  for (const { name, value: given } of wanted.attributes) {
    const value = names.get(given) ?? given;
    if (shown.getAttribute(name) !== value) shown.setAttribute(name, value);
  }
  let old = shown.firstChild;
  for (let next = wanted.firstChild; next; ) {
    const following: ChildNode | null = next.nextSibling;
    if (!old) shown.append(rename(next, names));
    else {
      const after: ChildNode | null = old.nextSibling;
      if (old.nodeName !== next.nodeName) old.replaceWith(rename(next, names));
      else if (isElement(old)) become(old, next as Element, names);
      else if (old.nodeValue !== next.nodeValue) old.nodeValue = next.nodeValue;
      old = after;
    }
    next = following;
  }
  while (old) {
    const after: ChildNode | null = old.nextSibling;
    old.remove();
    old = after;
  }
}

const isElement = (node: Node): node is Element => node.nodeType === 1;

/** A part that is taken over as it is, with the references of the picture it comes into. */
function rename(part: ChildNode, names: ReadonlyMap<string, string>): ChildNode {
  if (isElement(part) && names.size > 0)
    for (const each of [part, ...part.querySelectorAll('[clip-path]')]) {
      const name = names.get(each.getAttribute('clip-path') ?? '');
      if (name) each.setAttribute('clip-path', name);
    }
  return part;
}
