/** What a UTF-16 unit is among letters and digits of ASCII. NaN, beyond a text's ends, is neither. */
export const isDigit = (code: number): boolean => code >= 48 && code <= 57;
export const isUpper = (code: number): boolean => code >= 65 && code <= 90;
export const isLetter = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
export const isAlnum = (code: number): boolean => isDigit(code) || isLetter(code);
/** What identifiers are made of. */
export const isWordUnit = (code: number): boolean => isAlnum(code) || code === 95;
