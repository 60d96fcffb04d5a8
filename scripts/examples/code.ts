import type { Context } from '../../src/core/words.ts'
import { type Example, program } from './example.ts'

const python = (code: string): Context[] => [{ kind: 'tests', language: 'python', code }]
const javascript = (code: string): Context[] => [{ kind: 'tests', language: 'javascript', code }]

/** Programs written step by step; what a step says its code prints is claimed by the step. */
export const CODE: readonly Example[] = [
  {
    id: 'median-of-list',
    domain: 'python',
    prompt: 'Write a Python function median(values) that returns the median of a non-empty list of numbers.',
    answer: 'passes',
    context: python('assert median([3, 1, 2]) == 2\nassert median([4, 1, 3, 2]) == 2.5\nassert median([7]) == 7'),
    steps: [
      'The median is the middle value of the sorted list; for an even number of values it is the mean of the two middle ones.',
      'So I sort a copy, take the index n // 2, and handle the even case with the value before it.',
      program(
        'python',
        'Here is the function:',
        `
def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2 == 0:
        return (ordered[middle] + ordered[middle + 1]) / 2
    return ordered[middle]`,
      ),
      'The function handles both cases without changing the list that it is given.',
    ],
    final: 'fails',
    wrong: {
      step: 2,
      note: 'For an even length the two middle values stand at middle - 1 and middle, not at middle and middle + 1.',
    },
  },
  {
    id: 'slice-output',
    domain: 'python',
    prompt: 'What does the following print?\n\nword = "telescope"\nprint(word[2:7:2])\nprint(word[::-1][:3])',
    answer: 'lso\nepo',
    steps: [
      'The letters of "telescope" have the indices t0 e1 l2 e3 s4 c5 o6 p7 e8.',
      program(
        'python',
        'The first slice takes the indices 2, 4 and 6, the end 7 being left out:',
        'word = "telescope"\nprint(word[2:7:2])',
        'lso',
      ),
      program(
        'python',
        'The second reverses the word and keeps its first three letters:',
        'print(word[::-1][:3])',
        'poc',
      ),
      'So it prints lso and then poc.',
    ],
    final: 'lso\npoc',
    wrong: { step: 2, note: 'The reversed word is "epocselet", so its first three letters are "epo".' },
  },
  {
    id: 'sort-numbers',
    domain: 'javascript',
    prompt: 'In JavaScript, what does [25, 100, 9, 80].sort().join(" ") give?',
    answer: '100 25 80 9',
    steps: [
      'sort() without a function sorts in ascending order and changes the array in place.',
      program(
        'javascript',
        'Applied to the four numbers this gives:',
        'const numbers = [25, 100, 9, 80]\nnumbers.sort()\nconsole.log(numbers.join(" "))',
        '9 25 80 100',
      ),
      'join(" ") puts blanks between them, so the result is "9 25 80 100".',
    ],
    final: '9 25 80 100',
    wrong: { step: 1, note: 'Without a function sort() compares the values as text, so 100 comes first and 9 last.' },
  },
  {
    id: 'title-case',
    domain: 'javascript',
    prompt: 'Write a JavaScript function titleCase(text) that starts every word with a capital letter.',
    answer: 'passes',
    context: javascript(
      "if (titleCase('red apple') !== 'Red Apple') throw new Error('two words')\nif (titleCase('') !== '') throw new Error('empty text')",
    ),
    steps: [
      'I split the text at blanks, change each word, and put the words together again.',
      'A word of no letters must stay as it is, so I take the first letter by slice rather than by index.',
      program(
        'javascript',
        'In code:',
        `
function titleCase(text) {
  return text
    .split(' ')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join(' ')
}
console.log(titleCase('the grey cat'))`,
        'The Grey Cat',
      ),
      'Empty text gives empty text, since its only word is empty.',
    ],
    final: 'passes',
  },
  {
    id: 'sum-of-squares',
    domain: 'python',
    prompt: 'Write a Python function sum_of_squares(n) that returns 1^2 + 2^2 + ... + n^2.',
    answer: 'passes',
    context: python('assert sum_of_squares(3) == 14\nassert sum_of_squares(1) == 1\nassert sum_of_squares(10) == 385'),
    steps: [
      'I can add the squares in a loop; no formula is needed.',
      program(
        'python',
        'The loop runs over the numbers from 1 to n:',
        `
def sum_of_squares(n):
    total = 0
    for k in range(1, n):
        total += k * k
    return total`,
      ),
      'For n = 3 the loop adds 1, 4 and 9, which makes 14, as it should be.',
    ],
    final: 'fails',
    wrong: { step: 1, note: 'range(1, n) ends before n, so the last square is missing.' },
  },
  {
    id: 'count-vowels',
    domain: 'python',
    prompt: 'Write a Python function count_vowels(text) that counts the letters a, e, i, o and u, small and capital.',
    answer: 'passes',
    context: python(
      "assert count_vowels('Aerial') == 4\nassert count_vowels('') == 0\nassert count_vowels('rhythm') == 0",
    ),
    steps: [
      'I make the text small first, so that capital letters count as well.',
      program(
        'python',
        'Then I count the letters that are vowels:',
        `
def count_vowels(text):
    return sum(1 for letter in text.lower() if letter in 'aeiou')

print(count_vowels('Education'))`,
        '5',
      ),
      '"Education" has e, u, a, i and o, so five is right.',
    ],
    final: 'passes',
  },
  {
    id: 'default-list',
    domain: 'python',
    prompt:
      'What are the two lines that this prints?\n\ndef add(item, basket=[]):\n    basket.append(item)\n    return basket\n\nprint(len(add("pear")))\nprint(len(add("plum")))',
    answer: '1\n2',
    steps: [
      program(
        'python',
        'The function puts the item into the basket and returns the basket:',
        'def add(item, basket=[]):\n    basket.append(item)\n    return basket',
      ),
      program(
        'python',
        'The first call starts with an empty basket, so the length is 1:',
        'print(len(add("pear")))',
        '1',
      ),
      program(
        'python',
        'The second call again starts with an empty basket, since none is given:',
        'print(len(add("plum")))',
        '1',
      ),
      'Both lines are 1.',
    ],
    final: '1\n1',
    wrong: { step: 2, note: 'The default list is made once and shared by both calls, so the second length is 2.' },
  },
  {
    id: 'duplicate-check-cost',
    domain: 'python',
    prompt:
      'Write a Python function has_duplicates(values) and say how its running time grows with the length n of the list.',
    answer: 'passes, O(n^2)',
    context: python(
      'assert has_duplicates([1, 2, 1])\nassert not has_duplicates([1, 2, 3])\nassert not has_duplicates([])',
    ),
    steps: [
      'I compare every value with all values after it and stop at the first pair of equal ones.',
      program(
        'python',
        'That is a double loop:',
        `
def has_duplicates(values):
    for i in range(len(values)):
        for j in range(i + 1, len(values)):
            if values[i] == values[j]:
                return True
    return False`,
      ),
      'The inner loop gets shorter each time, so on the whole the running time grows in proportion to n.',
      'The function runs in O(n).',
    ],
    final: 'passes, O(n)',
    wrong: {
      step: 2,
      note: 'There are n(n - 1)/2 pairs; the shorter inner loop only halves the work, so it is O(n^2).',
    },
  },
  {
    id: 'cents-in-floats',
    domain: 'javascript',
    prompt: 'A shop adds prices in JavaScript: what does console.log(0.1 + 0.7 === 0.8) print, and why?',
    answer: 'false',
    steps: [
      'The three numbers are stored in binary with 53 significant digits.',
      program('javascript', 'First I look at the sum itself:', 'console.log((0.1 + 0.7).toFixed(2))', '0.80'),
      program(
        'javascript',
        'Rounded to cents it is 0.80, so the comparison holds too:',
        'console.log(0.1 + 0.7 === 0.8)',
        'true',
      ),
      'It prints true, since both sides are 0.8.',
    ],
    final: 'true',
    wrong: {
      step: 2,
      note: '0.1 + 0.7 is 0.7999999999999999 in binary floating point, so the comparison gives false.',
    },
  },
  {
    id: 'word-counts',
    domain: 'python',
    prompt: 'Count how often each word stands in "one fish two fish" and print the count of "fish".',
    answer: '2',
    steps: [
      program('python', 'I split the text into words:', 'words = "one fish two fish".split()\nprint(len(words))', '4'),
      program(
        'python',
        'Then I count each word with a Counter:',
        'counts = Counter(words)\nprint(counts["fish"])',
        '2',
      ),
      'The word "fish" stands there 2 times.',
    ],
    final: '2',
    wrong: { step: 1, note: 'Counter is never imported from collections, so the code stops with a NameError.' },
  },
  {
    id: 'stable-sort',
    domain: 'python',
    prompt:
      'Records are sorted by name and shall now be sorted by age, keeping the order of names among equal ages. How is that done in Python?',
    answer: 'one call of sorted with the age as key',
    steps: [
      'The records are pairs of name and age, already in the order of names.',
      'Python’s sorted makes no promise about records with equal keys, so their order by name may be lost.',
      program(
        'python',
        'To be safe I sort by age and name together:',
        `
people = [("Ana", 31), ("Bo", 25), ("Cy", 31)]
print([name for name, age in sorted(people, key=lambda p: (p[1], p[0]))])`,
        "['Bo', 'Ana', 'Cy']",
      ),
      'Sorting by the pair of age and name is needed to keep the order.',
    ],
    final: 'sort by age and name together',
    wrong: { step: 1, note: 'sorted is guaranteed to be stable: records with equal keys keep their order.' },
  },
  {
    id: 'chunk-array',
    domain: 'javascript',
    prompt: 'Write a JavaScript function chunk(items, size) that cuts an array into pieces of at most size items.',
    answer: 'passes',
    context: javascript(
      "if (chunk([1, 2, 3, 4, 5], 2).length !== 3) throw new Error('length')\nif (chunk([], 3).length !== 0) throw new Error('empty')\nif (chunk([1, 2, 3], 2)[1].join() !== '3') throw new Error('rest')",
    ),
    steps: [
      'I walk over the array in strides of the given size and take a slice at each stop.',
      'slice never goes past the end, so the last piece may simply be shorter.',
      program(
        'javascript',
        'The function:',
        `
function chunk(items, size) {
  const pieces = []
  for (let i = 0; i < items.length; i += size) pieces.push(items.slice(i, i + size))
  return pieces
}`,
      ),
      'An empty array gives no pieces, since the loop does not start.',
    ],
    final: 'passes',
  },
  {
    id: 'fibonacci-memo',
    domain: 'python',
    prompt: 'Write a Python function fib(n) with fib(0) = 0 and fib(1) = 1 that is fast for n = 80.',
    answer: 'passes',
    context: python(
      'assert fib(0) == 0\nassert fib(1) == 1\nassert fib(10) == 55\nassert fib(80) == 23416728348467685',
    ),
    steps: [
      'Plain recursion would repeat the same calls far too often, so I keep only the last two numbers.',
      program(
        'python',
        'A loop moves the pair on by one n times:',
        `
def fib(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a

print(fib(10))`,
        '55',
      ),
      'The loop needs 80 rounds for n = 80, which is nothing.',
    ],
    final: 'passes',
  },
  {
    id: 'leap-year',
    domain: 'javascript',
    prompt: 'Write a JavaScript function isLeapYear(year) for the Gregorian calendar.',
    answer: 'passes',
    context: javascript(
      "if (!isLeapYear(2024)) throw new Error('2024')\nif (!isLeapYear(2000)) throw new Error('2000')\nif (isLeapYear(1900)) throw new Error('1900')",
    ),
    steps: [
      'A year is a leap year when 4 divides it, but whole centuries are an exception.',
      'Among the centuries only those that 400 divides are leap years, so 1900 is none and 2000 is one.',
      program(
        'javascript',
        'As a function:',
        `
function isLeapYear(year) {
  return year % 4 === 0 && year % 100 !== 0
}`,
      ),
      'This covers all the cases above.',
    ],
    final: 'fails',
    wrong: { step: 2, note: 'The rule about 400 from the step before is left out, so 2000 is no leap year here.' },
  },
  {
    id: 'shared-rows',
    domain: 'python',
    prompt:
      'Make a grid of 2 rows and 3 columns filled with 0 in Python, set its first cell to 5, and print the sum of all cells.',
    answer: '5',
    steps: [
      program(
        'python',
        'I build the grid from rows of three zeros:',
        'row = [0, 0, 0]\ngrid = [row, row]\nprint(len(grid))',
        '2',
      ),
      'The grid now has two rows of its own, so changing one leaves the other alone.',
      program('python', 'I set the first cell:', 'grid[0][0] = 5\nprint(grid[0])', '[5, 0, 0]'),
      'The sum of all cells is 5.',
    ],
    final: '5',
    wrong: { step: 1, note: 'Both rows are the same list, so the cell changes in both and the sum is 10.' },
  },
]
