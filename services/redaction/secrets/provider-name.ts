/**
 * Keys without a prefix of their own, behind their provider's name: `algolia_app: "..."`, `circleci ...`, `new
 * Mixpanel("...")`. Only names that are no everyday words and no hosts of code and images, whose neighbours are commits
 * and digests.
 */
import { pattern } from '../pattern.ts';
import { alphabet, type SecretRule, runEnd } from './secret-rule.ts';
import { isRandom, isStandIn, uuid } from './plausible.ts';

/** Lower case, a blank between two. */
const names = `
  abstractapi abuseipdb accuweather adafruit adobe adyen aftership aha.io airbrake airtable airship aivenio algolia
  alchemy alienvault amplitude ansible apify apigee apollo appdynamics appoptics appsflyer appsync artifactory asana
  assemblyai atlassian auth0 authress axonaut azure baremetrics beamer bitbucket bitfinex bitly bitmex blockchain
  bluesnap boxapi braintree branchio brandfetch browserstack bugsnag buildkite bybit calendarific calendly cannyio
  censys chartmogul chatbot checkr circleci clearbit clickhelp clickup clockify cloudant cloudelements cloudflare
  cloudinary cloudmersive cloudsight codacy codecov codemagic coinapi coinbase coinlayer coinmarketcap confluent
  contentful convertkit copper coveralls cronitor crowdin cryptocompare currencylayer customerio databricks datadog
  deepai deepgram deepl delighted detectify dialpad digicert digitalocean discord dnsimple docusign doppler dotmailer
  droneci dropbox duffel duplo dwolla dynatrace easypost eightxeight elastic_ elasticemail elevenlabs enigma
  etherscan eventbrite exchangerate facebook fastly figma finicity finnhub firebase fixer flickr flightapi
  flutterwave freshbooks freshdesk freshworks ftx geocod giphy gitter gocardless grafana groq guardian_api gumroad
  harness harvest hashicorp heroku hotjar hubspot hunterio hypertrack infobip instagram intercom ipapi ipdata
  ipgeolocation ipify ipinfo ipstack jfrog jotform jumpcloud kaggle keen.io klaviyo kraken kucoin launchdarkly
  linkedin linode lob_ lokalise loggly logzio looker mailchimp mailerlite mailgun mailjet mandrill mapbox mapquest
  mattermost meraki messagebird mixpanel moesif mollie mongodb_atlas mux_ myfreshworks nasdaq netlify newrelic
  new_relic newsapi ngrok nylas nytimes okta onelogin onesignal openai openuv openweather opsgenie optimizely owlbot
  pagerduty pandadoc papertrail parseur paypal paystack pendo pipedream pipedrive pinecone plaid planetscale plivo
  polygon.io postmark postman prefect pubnub pulumi pusher quandl quicknode rapidapi rapyd razorpay readme.io
  rechargepay recurly rollbar rubygems salesforce saucelabs scrapingbee scrutinizer securitytrails segment_ sendbird
  sendgrid sendinblue sentry serpapi shodan shopify shortcut.com signalwire sinch skybiometry snyk softlayer
  sonarcloud sonarqube sonar spotify spoonacular square squareup squarespace stackhawk statuspage storyblok strava
  stripe sumologic supabase surveymonkey teamwork telegram telnyx terraform thousandeyes todoist tomtom travisci
  travis_ travis trello twilio twitch twitter typeform unsplash uploadcare uptimerobot urlscan vercel virustotal
  vonage vultr weatherapi weatherstack webflow wepay whoxy wistia worldweather yandex yelp zapier zendesk zenserp
  zerobounce zipcode zoho zoominfo zuora
`
  .trim()
  .split(/\s+/);
const reach = 56;
const tokenUnits = alphabet('_-');
const candidate = /[A-Za-z0-9][A-Za-z0-9_-]{18,199}={0,2}/g;
const innocent = pattern('i')`
    (?:sha\d*|md5|hash|digest|checksum|commit|revision|rev|trace|span|request|req|build|image|integrity
    |version|ref|branch|tag|id|deployment|deploy|job|run|pipeline|event|message|order|invoice|ticket|case
    |issue|object|file|customer|visitor)["'\x60]?\s{0,2}[:=#@(]?\s{0,2}["'\x60]?$
  `;
const keyWord = /key|token|secret|auth|api|pass|cred|login/i;
/** Between name and value: an assignment, a call, an argument, a key word. */
const lead = /(?:[:=(,]|=>|is|key|token|secret|api|auth|password)[\s"'`=]{0,5}$/i;

export const providerNames: SecretRule = {
  literals: names,
  findAt(text, at, literal, out) {
    const from = at + (names[literal] ?? '').length;
    const line = text.slice(from, from + reach + 200).split(/[\n\r]|\[[A-Z]/, 1)[0] ?? '';
    if (line.length < 20) return at;
    candidate.lastIndex = 0;
    for (let match = candidate.exec(line); match !== null && match.index <= reach; match = candidate.exec(line)) {
      const value = match[0];
      const before = line.slice(0, match.index);
      if (/[\w/@.:%+-]$/.test(before.slice(-1)) && before !== ':') continue;
      if (
        innocent.test(before) ||
        !(lead.test(before) || keyWord.test(before)) ||
        /:\/\/\S*$/.test(before) ||
        !isRandom(value) ||
        isStandIn(value) ||
        (uuid.test(value) && !keyWord.test(before))
      )
        continue;
      const end = runEnd(text, from + match.index + value.length, tokenUnits, 200);
      out.push({ start: from + match.index, end, type: 'SECRET_KEY', rank: 66 });
      return end;
    }
    return at;
  },
};
