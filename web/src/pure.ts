// A component that is drawn again only when one of its properties is another value.

import { Component } from "preact";

export abstract class Pure<Props extends object> extends Component<Props> {
  override shouldComponentUpdate(next: Props): boolean {
    const now = this.props as Record<string, unknown>;
    return Object.entries(next).some(([name, value]) => now[name] !== value);
  }
}
