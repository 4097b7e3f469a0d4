/** The version of this Sampan, as its packages carry it. */
export const VERSION = '0.1.0';
