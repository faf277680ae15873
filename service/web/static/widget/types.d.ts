/** The shapes that the API answers. For the type checker only: no browser asks for this file. */

export type Piece = string | { t: string; c?: Piece[]; href?: string };

export interface Author {
  id: string;
  name: string;
  verified: boolean;
  badge?: "staff" | "author" | null;
}

export interface Replies {
  count: number;
  comments: Comment[];
  next: string | null;
}

export interface Comment {
  id: string;
  article: string | Article;
  parent: string | null;
  depth: number;
  author: Author | null;
  nodes: Piece[];
  created_at: string;
  edited_at: string | null;
  version: number;
  featured: boolean;
  gone: null | "withdrawn" | "removed";
  reactions: Record<string, number>;
  permalink: string;
  replies: Replies;
}

/** Start and end in code points, end exclusive. */
export type Span = [number, number];

export interface Reason {
  code: string;
  sentence: string;
  spans: Span[];
}

export interface Mine extends Comment {
  status: "pending" | "approved" | "rejected" | "deleted";
  text: string;
  edit_until: string | null;
  public_version: number | null;
  reasons: Reason[];
  mine: string[];
}

export interface Article {
  key: string;
  url: string;
  title: string;
  prompt: string;
  state: "open" | "closed";
  moderation: "post" | "pre";
  count: number;
  version: number;
  reactions: string[];
}

export interface Draft {
  text: string;
  /** The idempotency key: lives with the draft until an answer arrives. */
  key: string;
  at: number;
  nudged: boolean;
}

/** What a host may put in place of the network, as `element.source`. */
export interface Source {
  fetch(url: string, init: RequestInit): Promise<Response>;
}

export interface Host extends HTMLElement {
  tokenCallback?: () => Promise<string | null>;
  source?: Source;
}
