/** Searching by what a person types: every word must be found in one of the expressions. */

const ESCAPE = String.raw`ESCAPE '\'`

export function escapeLike(word: string): string {
  return word.replace(/[\\%_]/g, (sign) => `\\${sign}`)
}

/**
 * The condition for `text` over the SQL expressions, with its parameters bound from `?first` on.
 * Nothing typed finds everything.
 */
export function likeWhere(
  expressions: string[],
  text: string,
  first = 1,
): { where: string; parameters: string[] } {
  // "Last, First" is how names are shown, so that is what people paste.
  const typed = text.split(/[\s,]+/).filter((word) => word !== '')
  const where = typed.map((_, at) => {
    const found = expressions.map((expression) => `${expression} LIKE ?${first + at} ${ESCAPE}`)
    return `(${found.join(' OR ')})`
  })
  return {
    where: where.length === 0 ? '1' : where.join(' AND '),
    parameters: typed.map((word) => `%${escapeLike(word)}%`),
  }
}
