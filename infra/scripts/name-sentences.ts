// Own sentences to train the names tagger with. Slots: G given name, S surname, F full name, P any of them, C city or
// town, N country or state, L any place, O firm or institution, K park, river, street or building, D capitalised word
// that names nobody. Plain text is never a name. Long because it is one list.
import { wordList } from '../../services/redaction/word-list.ts';

export const sentences: readonly string[] = `
{P} said on {D} that talks with {N} would go on.
"We will not accept this," {P} told reporters in {C}.
{F}, a spokesman for the ministry, declined to comment.
The {D} prime minister, {F}, arrived in {C} late on {D}.
At least twelve people were killed when a bomb went off near {C}, police said.
Troops from {N} and {N} crossed the border into {N} overnight.
{C}, {N} - The president of {N} met {F} at the airport.
According to {F} of {O}, prices in {N} will keep rising.
{S} was arrested in {C} last year and later moved to {N}.
Former {O} chief {F} denied that he had known {S}.
The {D} army withdrew from {C} after a week of fighting.
{S}'s lawyers asked the court in {C} to dismiss the case.
{O} opened a new plant in {C}, {N}.
He blamed {N} for the attack, but {P} rejected that.
In {N}, where {P} was born, the law is different.
The governor of {N} and the mayor of {C} signed the deal.
{F} (born 1954 in {C}) is a {D} painter.
{P} and {P} flew from {C} to {C} via {C}.
Reports from {C} suggest that {N} has agreed to a ceasefire.
A court in {N} sentenced {F} to six years.
{S}, {S} and {S} published the results last month.
{G} {S} wrote:
On Mon, {F} wrote:
From: {F}
To: {F}; {F}
Cc: {S}, {G}
Sent by: {F}
Attached is the file that {G} asked for.
{G}, please see the comments below and let me know.
Please call {G} or {G} if you have any questions.
{G} and I will meet with {F} on {D}.
Thanks, {G}
Thanks,\n{G}
Regards,\n{F}
Best regards,\n\n{F}\n{O}
Kind regards\n{F}
Hi {G},
Hello {G}, how are you?
Dear {G},
Dear Mr. {S},
Dear Ms {F}:
Can you forward this to {G} before {D}?
I spoke with {F} at {O} about the contract.
{G} has left {O} and joined {O}.
Per {G}'s request, I moved the meeting to {D}.
cc: {G} {S}
{G}: can you take a look?
{G} - here is the draft.
Let me check with {G} and get back to you.
As {G} mentioned, the {C} office is closed.
I will be in {C} next week, then in {N}.
Has anyone stayed at a good hotel in {C}?
What is the best way to get from {C} to {C} by train?
We are going to {N} for our honeymoon in {D}.
I live in {C} and I am looking for a dentist.
How far is {C} from {C}?
Is it safe to travel to {N} right now?
Visit {C} in spring; the {D} food is wonderful.
I moved from {N} to {C} when I was ten.
My flight to {C} was cancelled and I am stuck in {N}.
The office in {C}, {N} ships within two days.
The weather in {C} is awful today.
Anyone from {C}?
{C} is the best city in {N}!
Best pizza in {C}!
{G} and the staff at {O} were wonderful.
Ask for {G}, he knows what he is doing.
Dr. {S} is the best doctor in {C}.
Dr {F} took great care of my mother.
My wife and I saw {G} for a massage and loved it.
{G} was very helpful and explained everything.
The owner, {G}, greeted us at the door.
Thank you {G} for the great service!
Thanks to {G} at the front desk.
I would recommend {F} to anyone in the {C} area.
We hired {F} to photograph our wedding in {C}.
My name is {F} and I have lost my card.
My name is {G}.
I am {F} from {C}.
I'm {G}, nice to meet you.
This is {F} calling about my order.
{F} here, please ring me back.
You can reach my wife {F} at home.
My husband {G} also uses the account.
Our daughter {G} lives in {C}.
His brother {G} works for {O}.
Please add {F} to the booking.
Change the name on the card to {F}.
The account belongs to {F}.
The package for {F} was sent to {C}, {N}.
Ship it to {F}, {C}.
The policy holder is {F}, born in {N}.
Patient {F} was seen on {D}.
Customer: {F}
Name: {F}
Full name: {F}\nCity: {C}\nCountry: {N}
Name: {F}\nOrder: 4411\nStatus: Open
Contact {F} for details.
Signed by {F}.
Who is {F}?
Who is {P} and why does {P} hate {N}?
What did {F} say about {N}?
Tell me about {F}.
When was {F} born?
Was {S} a good president?
Write a poem about {P} and {P}.
Summarise the plot: {G} meets {G} in {C}.
{G} asked {G} whether {G} would come.
{G} laughed. "You never told me," said {G}.
"Hello," said {G}.
{G}'s mother never liked {G}.
{G} loves {G}
i love {G} so much
omg {G} is so cute
{P} is trash
{P} is the best
I miss {G}
happy birthday {G} !!!
RT @someone: {F} is my hero
watching {P} on tv with {G}
can't believe {P} won!
{P} vs {P} tonight
I think {P} should play for {O}
{P} is better than {P}
why is {P} like this
that is not {P} lol
{P} looks so good in this video
this reminds me of {P}
{P}, you are amazing
love you {G}
Just landed in {C}
on my way to {C} with {G}
Good morning {C}!
I'm at {O} ({C}, {N})
goodnight from {C}
{C} traffic is the worst
Only in {N}
See you tonight in {C} !
The book by {F} is out on {D}.
A new film with {F} and {F} opens in {C}.
directed by {F}
photo by {F}
lyrics by {S} and {S}
The {S} family lives near {C}.
The {S} theorem is due to {F}.
{F} of {O} won the prize.
{F} plays for {O} and for {N}.
{O} beat {O} in {C}.
{F} scored twice as {N} beat {N}.
{F}, 34, of {C}, was charged.
{F}, chief executive of {O}, sold shares.
{F}, PhD
Mr. {S} and Mrs. {S} live in {C}.
Sen. {S} voted against it.
President {S} of {N} visited {C}.
The late {F} founded {O} in {C}.
in {N}
{C}, {N}
From {C} to {C}
north of {C}
near {C} in southern {N}
across {N}, {N} and {N}
The {L} office reported to {F}.
Residents of {C} complained to {O}.
{O} of {C} hired {F}.
Between {C} and {C} there is one bus a day.
The river runs through {C}.
She studied in {C} before she moved to {C}.
He was born in {C} and died in {N}.
Imports from {N} fell.
Our customers in {N} and {N} report errors.
The {D} economy and the {D} market grew.
{D} Support told me to reset my {D} password.
I bought a {D} phone and a {D} case on {D}.
Does {D} work with {D}?
How do I install {D} on {D}?
The {D} version is slower than the {D} one.
{D} and {D} are not supported.
My {D} card was declined.
Why is my Account blocked?
Open Settings, then Privacy, then Security.
Click Save and then Next.
Read the Terms and Conditions first.
Please Note: The Offer ends on {D}.
Top Ten Things You Should Know About Money
What Is The Best Way To Learn Guitar?
How To Cook Rice In Ten Minutes
The Quick Guide To Better Sleep
THIS IS NOT FUNNY
WHY IS THE APP SO SLOW
WHERE IS MY MONEY
GREAT SERVICE AND GOOD FOOD
The People's Choice Award went to a {D} film.
He speaks {D}, {D} and {D}.
{D} people love {D} food.
I watched {D} last night.
Great food, great service. Highly recommended.
Absolutely the best place in town.
Error in Module: Request failed with Status 500.
The Manager was rude. Never again.
Customer Service is terrible.
What would you like to know? Tell me more.
Yes. No. Maybe. Sure thing.
Good luck! Have fun! Take care!
First, open the box. Second, read the manual. Finally, press Start.
Here is a List of Items: Bread, Milk, Eggs, Butter.
Answer: The result is 42. Explanation: Add both numbers.
The Constitution, the Bill of Rights and the Supreme Court.
During World War II the Navy lost many ships.
Chapter One: The Beginning
Happy New Year! Merry {D}!
Mom and Dad are coming over.
Mein Name ist {F}.
Ich heiße {F} und wohne in {C}.
Sehr geehrter Herr {S},
Liebe {G}, vielen Dank.
Die Kundin {F} aus {C} hat angerufen.
Je m'appelle {F}, j'habite à {C}.
Madame {S} a commandé deux livres.
Bonjour {G}, comment ça va ?
Me llamo {F} y vivo en {C}.
La señora {S} llamó ayer desde {C}.
Mi chiamo {F}, abito a {C}.
Il signor {S} è partito per {C}.
Meu nome é {F} e moro em {C}.
Ik ben {F} uit {C}.
Nazywam się {F} i mieszkam w {C}.
Jag heter {F} och bor i {C}.
Jeg heter {F} fra {C}.
Jmenuji se {F}, bydlím v {C}.
Benim adım {F}, {C} şehrindenim.
Bestellung für {F} nach {C}.
Transfer to {F}, {O}.
"{S}, {G}" wrote on {D}:
To: {S}, {G}; {S}, {G}
I am so proud of {G}.
She looks like {G}!
He reminds me of {G}.
Great work {G}!
Nice video {G}
{G} is so right!
I gave it to {G} yesterday.
We told {G} that {G} was late.
I'm no fan of {S} but he worked hard.
{S} is not a better player than {S}.
Does {G} really think so?
Where is {G}?
Is it just me or does {G} look like {G}?
Only {G} and {G} know.
What happened to {G}?
Tell {G} I said hi.
Thanks {G}!
Thank you, {G}.
He and his wife {G} moved to {C}.
{G} asked me to call you with {S}.
{S} has instructed me to send this.
Leader {F} was seen with Minister {F}.
The {N} government said the {N} would not sign.
The {N} lost another helicopter in the {K}.
{N} citizens were asked to leave {N}.
We walked around {K} and {K}.
I love {K}!
The hotel is close to {K} in {C}.
We had dinner at {K} and drove along {K}.
Is there a bus from {K} to {C}?
The {K} is a great place for kids.
{K} is near {C}.
The fleet sailed for the {K}.
Go to {K}, {C}, {N}.
cheap flights to {C} and {N}
looking for a flat in {C}
`
  .trim()
  .split('\n')
  .map((line) => line.replaceAll('\\n', '\n'));

/** Words for slot D besides the vocabulary's. */
export const decoys: readonly string[] = wordList(`
  Galaxy Pixel Surface Echo Alexa Siri Cortana Chrome Firefox Safari Outlook Gmail Slack Zoom Teams Photoshop Kafka
  Docker Kubernetes Postgres Redis Node React Angular Ubuntu Debian Bitcoin Ethereum Prius Mustang Corolla Xbox
  PlayStation Minecraft Fortnite Pokemon Batman Avatar Titanic Thriller Hamlet Nobel Oscar Grammy Olympics Marathon
  Medicaid Medicare Constitution Congressional Parliament Renaissance Medieval Baroque Gothic Atkins Viagra Prozac
  Kleenex Lego Barbie Labrador Poodle Siamese Chihuahua Champagne Cheddar Bordeaux Merlot Espresso Wi-Fi Bluetooth
  Premium Standard Basic Gold Platinum Express Priority`);
