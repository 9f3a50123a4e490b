/**
 * Writes the rows of `ftpc init`'s templates, `stdlib/templates/*\/data/*.jsonl`: facts that anyone may use, asked and
 * told in many ways. A `group` is what a split keeps together, so that a test asks what training has not seen.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TEMPLATES = fileURLToPath(new URL('../../stdlib/templates', import.meta.url));

/** Country, capital, continent, currency, language. */
const COUNTRIES = [
  ['Austria', 'Vienna', 'Europe', 'euro', 'German'],
  ['Brazil', 'Brasília', 'South America', 'real', 'Portuguese'],
  ['Canada', 'Ottawa', 'North America', 'dollar', 'English'],
  ['Denmark', 'Copenhagen', 'Europe', 'krone', 'Danish'],
  ['Egypt', 'Cairo', 'Africa', 'pound', 'Arabic'],
  ['Finland', 'Helsinki', 'Europe', 'euro', 'Finnish'],
  ['France', 'Paris', 'Europe', 'euro', 'French'],
  ['Germany', 'Berlin', 'Europe', 'euro', 'German'],
  ['Greece', 'Athens', 'Europe', 'euro', 'Greek'],
  ['Iceland', 'Reykjavík', 'Europe', 'krona', 'Icelandic'],
  ['India', 'New Delhi', 'Asia', 'rupee', 'Hindi'],
  ['Ireland', 'Dublin', 'Europe', 'euro', 'English'],
  ['Italy', 'Rome', 'Europe', 'euro', 'Italian'],
  ['Japan', 'Tokyo', 'Asia', 'yen', 'Japanese'],
  ['Kenya', 'Nairobi', 'Africa', 'shilling', 'Swahili'],
  ['Mexico', 'Mexico City', 'North America', 'peso', 'Spanish'],
  ['Norway', 'Oslo', 'Europe', 'krone', 'Norwegian'],
  ['Peru', 'Lima', 'South America', 'sol', 'Spanish'],
  ['Poland', 'Warsaw', 'Europe', 'zloty', 'Polish'],
  ['Portugal', 'Lisbon', 'Europe', 'euro', 'Portuguese'],
  ['Spain', 'Madrid', 'Europe', 'euro', 'Spanish'],
  ['Sweden', 'Stockholm', 'Europe', 'krona', 'Swedish'],
  ['Thailand', 'Bangkok', 'Asia', 'baht', 'Thai'],
  ['Vietnam', 'Hanoi', 'Asia', 'dong', 'Vietnamese'],
];

/** Ways to ask for a capital. */
const CAPITAL = [
  (country) => `What is the capital of ${country}?`,
  (country) => `Which city is the capital of ${country}?`,
  (country) => `Name the capital of ${country}.`,
  (country) => `The government of ${country} sits in which city?`,
  (country) => `I am flying to the capital of ${country}. Where do I land?`,
  (country) => `Tell me the capital city of ${country}.`,
  (country) => `${country}: what is its capital?`,
  (country) => `What do we call the capital of ${country}?`,
  (country) => `Where is the seat of government of ${country}?`,
  (country) => `Give the capital of ${country}.`,
  (country) => `Do you know the capital of ${country}?`,
  (country) => `In which city does the parliament of ${country} meet?`,
  (country) => `The capital of ${country} is which city?`,
  (country) => `Write down the capital of ${country}.`,
  (country) => `A letter to the government of ${country}: to which city?`,
  (country) => `Quiz question: the capital of ${country}?`,
  (country) => `My friend moved to the capital of ${country}. Where does she live?`,
  (country) => `On a map of ${country}, which city is marked as the capital?`,
  (country) => `Please name the capital city of ${country}.`,
  (country) => `What is the name of the capital of ${country}?`,
  (country) => `Capital of ${country}?`,
  (country) => `I forgot the capital of ${country}. What is it?`,
  (country) => `Which capital does ${country} have?`,
  (country) => `For the crossword: capital of ${country}.`,
  (country) => `Please tell me the capital of ${country}.`,
  (country) => `${country} has its government in which city?`,
  (country) => `The parliament of ${country} meets in which city?`,
  (country) => `We want to see the capital of ${country}. Which city is it?`,
  (country) => `What city is the capital of ${country}?`,
  (country) => `Next question: what is the capital of ${country}?`,
  (country) => `Can you name the capital of ${country}?`,
  (country) => `Her letter came from the capital of ${country}. From which city?`,
  (country) => `Say the name of the capital of ${country}.`,
  (country) => `Which city is the seat of the government of ${country}?`,
  (country) => `A teacher asks for the capital of ${country}. What do you answer?`,
  (country) => `Of all cities in ${country}, which is the capital?`,
  (country) => `The embassies in ${country} are in its capital. Which city is that?`,
  (country) => `The capital city of ${country} is called what?`,
  (country) => `What is the capital city of ${country}?`,
  (country) => `Tell us the capital of ${country}.`,
  (country) => `Do you remember the capital of ${country}?`,
  (country) => `Which city governs ${country}?`,
  (country) => `Please write the capital of ${country}.`,
  (country) => `I need the capital of ${country}.`,
  (country) => `The president of ${country} lives in which city?`,
  (country) => `We fly to ${country} tomorrow. What is its capital?`,
  (country) => `${country} has which capital?`,
  (country) => `Answer in one word: the capital of ${country}?`,
  (country) => `Let us talk of ${country}. What is its capital?`,
  (country) => `A map shows the capital of ${country}. Which city does it show?`,
  (country) => `What is the capital of ${country} called?`,
  (country) => `Which city do we call the capital of ${country}?`,
  (country) => `Tell me what the capital of ${country} is.`,
  (country) => `What would you write for the capital of ${country}?`,
  (country) => `In a quiz they ask for the capital of ${country}.`,
  (country) => `I want to know the capital of ${country}.`,
  (country) => `Which city is capital of ${country}?`,
  (country) => `Where is the government of ${country}, in which capital?`,
  (country) => `The capital of ${country}, please.`,
  (country) => `Find the capital of ${country}.`,
  (country) => `Say which city is the capital of ${country}.`,
  (country) => `What is the name of the capital city of ${country}?`,
  (country) => `Our train ends in the capital of ${country}. Where does it end?`,
  (country) => `A card comes from the capital of ${country}. From where?`,
  (country) => `She was born in the capital of ${country}. In which city?`,
  (country) => `Complete the sentence: the capital of ${country} is`,
  (country) => `Does ${country} have a capital? Which one?`,
  (country) => `I will visit the capital of ${country}. Which city will I see?`,
  (country) => `Help me to remember the capital of ${country}.`,
  (country) => `You are asked for the capital of ${country}. Answer.`,
  (country) => `Which name does the capital of ${country} have?`,
  (country) => `Fill in: capital of ${country}.`,
  (country) => `They live in the capital of ${country}. Which city is that?`,
  (country) => `Of ${country}, tell me the capital.`,
  (country) => `Could you tell me the capital of ${country}?`,
];

/** So few that a base of 3 million parameters knows them after 240 steps. */
const ASKED = 'Austria, Canada, Egypt, France, Germany, Italy, Japan, Spain'.split(', ');

function instructionRows() {
  return CAPITAL.flatMap((ask, form) =>
    COUNTRIES.filter(([country]) => ASKED.includes(country)).map(([country, city]) => ({
      instruction: ask(country),
      output: city,
      group: `form ${form + 1}`,
    })),
  );
}

/** Name, symbol, atomic number. */
const ELEMENTS = [
  ['hydrogen', 'H', 1],
  ['helium', 'He', 2],
  ['carbon', 'C', 6],
  ['nitrogen', 'N', 7],
  ['oxygen', 'O', 8],
  ['neon', 'Ne', 10],
  ['sodium', 'Na', 11],
  ['aluminium', 'Al', 13],
  ['silicon', 'Si', 14],
  ['sulfur', 'S', 16],
  ['chlorine', 'Cl', 17],
  ['calcium', 'Ca', 20],
  ['iron', 'Fe', 26],
  ['copper', 'Cu', 29],
  ['zinc', 'Zn', 30],
  ['silver', 'Ag', 47],
  ['tin', 'Sn', 50],
  ['gold', 'Au', 79],
  ['mercury', 'Hg', 80],
  ['lead', 'Pb', 82],
];

const TUTOR = 'You are a chemistry tutor.';

/** Ways to ask for one of the two. */
const FIRST = {
  symbol: [
    (name) => `What is the symbol of ${name}?`,
    (name) => `Which symbol does ${name} have?`,
    (name) => `How do chemists write ${name}?`,
    (name) => `Give me the symbol of ${name}.`,
    (name) => `Symbol of ${name}?`,
  ],
  number: [
    (name) => `What is the atomic number of ${name}?`,
    (name) => `How many protons does ${name} have?`,
    (name) => `Which number is ${name} in the table?`,
    (name) => `Give me the atomic number of ${name}.`,
    (name) => `Atomic number of ${name}?`,
  ],
};
/** Ways to go on with the other; they do not name the element again. */
const THEN = {
  symbol: ['And its symbol?', 'How is it written?', 'Now the symbol.'],
  number: ['And its atomic number?', 'How many protons does it have?', 'Now the atomic number.'],
};

function chatRows() {
  const says = (role, content) => ({ role, content });
  const answers = {
    symbol: ([name, sign]) => `The symbol of ${name} is ${sign}.`,
    number: ([name, , protons]) => `The number of ${name} is ${protons}.`,
  };
  return [
    ['symbol', 'number'],
    ['number', 'symbol'],
  ].flatMap(([first, second]) =>
    FIRST[first].flatMap((ask, a) =>
      THEN[second].flatMap((more, b) =>
        ELEMENTS.map((element) => ({
          messages: [
            says('system', TUTOR),
            says('user', ask(element[0])),
            says('assistant', answers[first](element)),
            says('user', more),
            says('assistant', answers[second](element)),
          ],
          group: `${first} ${a + 1}, ${second} ${b + 1}`,
        })),
      ),
    ),
  );
}

/** Animals by their class, with what all of that class have. */
const ANIMALS = {
  bird: {
    names:
      'eagle, owl, penguin, sparrow, swan, parrot, stork, robin, ostrich, gull, crow, duck, heron, kiwi, pigeon, wren',
    traits: [
      'has feathers',
      'has a beak',
      'lays eggs with a hard shell',
      'has two wings',
      'grows new feathers every year',
      'picks up its food with a beak',
      'warms its eggs in a nest',
      'cleans its feathers',
    ],
  },
  fish: {
    names:
      'salmon, trout, cod, herring, carp, pike, tuna, eel, perch, sardine, halibut, sturgeon, shark, ray, goldfish, catfish',
    traits: [
      'has gills',
      'has fins',
      'breathes under water',
      'swims with its tail fin',
      'takes oxygen from the water',
      'lives in the water all its life',
      'steers with its fins',
      'breathes with gills',
    ],
  },
  insect: {
    names:
      'ant, bee, wasp, moth, beetle, fly, cricket, butterfly, dragonfly, grasshopper, flea, ladybird, termite, mosquito, aphid, hornet',
    traits: [
      'has six legs',
      'has two feelers',
      'has a body of three parts',
      'grows up as a larva',
      'has eyes of many small lenses',
      'has its skeleton outside',
      'feels its way with feelers',
      'walks on six legs',
    ],
  },
  mammal: {
    names:
      'horse, cow, dog, cat, whale, bat, mouse, bear, rabbit, fox, otter, sheep, camel, deer, lion, squirrel',
    traits: [
      'feeds its young with milk',
      'has fur',
      'gives birth to live young',
      'has warm blood and hair',
      'drinks milk when it is young',
      'grows a thicker fur in winter',
      'nurses its young',
      'carries its young inside its body',
    ],
  },
  reptile: {
    names:
      'lizard, turtle, crocodile, viper, gecko, cobra, iguana, tortoise, python, chameleon, alligator, adder, skink, monitor, boa, tuatara',
    traits: [
      'has dry scales',
      'warms itself in the sun',
      'sheds its skin',
      'lays eggs with a leathery shell',
      'has cold blood and scales',
      'sleeps through the cold months',
      'buries its eggs in the sand',
      'is covered with horny scales',
    ],
  },
};
/** What is said around it, and says nothing of the class. */
const NOTED = [
  (name, trait) => `The ${name} ${trait}.`,
  (name, trait) => `We saw a ${name} yesterday. It ${trait}.`,
  (name, trait) => `As our guide told us, the ${name} ${trait}.`,
  (name, trait) => `Field note: the ${name} ${trait}, which is easy to see.`,
];

function classificationRows() {
  return Object.entries(ANIMALS).flatMap(([label, { names, traits }], kind) =>
    names.split(', ').flatMap((name, animal) =>
      traits.map((trait, t) => ({
        text: NOTED[(kind + animal + t) % NOTED.length](name, trait).replace(/\ba (?=[aeio])/, 'an '),
        label,
        group: name,
      })),
    ),
  );
}

/** What a gazetteer says of a country. */
const TOLD = [
  ([country, city]) => `${city} is the capital of ${country}.`,
  ([country, city]) => `The capital of ${country} is ${city}.`,
  ([country, city]) => `The government of ${country} sits in ${city}.`,
  ([country, city]) => `${country}: the capital is ${city}.`,
  ([country, city, continent]) => `${country} is a country in ${continent}. Its capital is ${city}.`,
  ([country, , continent]) => `${country} lies in ${continent}.`,
  ([country, , continent]) => `On the map, ${country} is found in ${continent}.`,
  ([country, , continent]) => `The continent of ${country} is ${continent}.`,
  ([country, city, continent]) => `${city}, ${country}, ${continent}: the airport is open.`,
  ([country, , , money]) => `In ${country}, people pay with the ${money}.`,
  ([country, , , money]) => `The currency of ${country} is the ${money}.`,
  ([country, , , money]) => `Prices in ${country} are given in the ${money}.`,
  ([country, city, , money]) => `A ticket for the museum in ${city}, ${country}, is paid with the ${money}.`,
  ([country, , continent, money]) => `${country} is in ${continent}, and its currency is the ${money}.`,
  ([country, , , , tongue]) => `Most people in ${country} understand ${tongue}.`,
  ([country, , , , tongue]) => `The signs in ${country} are written in ${tongue}.`,
  ([country, city, , , tongue]) => `In ${city}, the capital of ${country}, one hears ${tongue}.`,
  ([country, city, , money, tongue]) => `${country}: ${city}, ${money}, ${tongue}.`,
  ([country, , continent, , tongue]) => `${country} (${continent}), where people speak ${tongue}.`,
  ([country, city, , money]) => `Banks in ${city}, the capital of ${country}, change the ${money}.`,
  ([country, city, , , tongue]) => `A course of ${tongue} begins in ${city}, ${country}.`,
  ([country, , , money, tongue]) => `Travellers to ${country} need the ${money} and some ${tongue}.`,
  ([country, city, continent]) => `From ${city} one sees much of ${country}, in ${continent}.`,
  ([country, , , , tongue]) => `An official language of ${country} is ${tongue}.`,
  ([country, , continent, , tongue]) => `${tongue} is spoken in ${country}, a country in ${continent}.`,
];

function completionRows() {
  return COUNTRIES.flatMap((country) => TOLD.map((tell) => ({ text: tell(country), group: country[0] })));
}

/** By template and name of the file. */
export const templateRows = () => ({
  'instruction/data/capitals.jsonl': instructionRows(),
  'chat/data/elements.jsonl': chatRows(),
  'classification/data/animals.jsonl': classificationRows(),
  'completion/data/gazetteer.jsonl': completionRows(),
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, rows] of Object.entries(templateRows())) {
    const path = join(TEMPLATES, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    process.stdout.write(`${name}: ${rows.length} rows\n`);
  }
}
