// What goes wrong with a template.

/** It does not parse, or cannot be evaluated: that happens in Go, too, with a template that parses. */
export class TemplateFault extends Error {}
