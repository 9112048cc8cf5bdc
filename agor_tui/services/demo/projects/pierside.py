"""A TypeScript front end in which skippers book a berth."""

from __future__ import annotations

from agor_tui.services.demo.topics import Checkout, Edit, Project, Topic

PROJECT = Project(
    slug="saltmarsh/pierside-web",
    name="Pierside",
    remote_url="git@github.com:saltmarsh-labs/pierside-web.git",
    default_branch="develop",
    language="typescript",
    checkouts=(
        Checkout("develop", "develop", 0),
        Checkout("checkout-redesign", "feat/checkout-redesign", 2, issue=1204, pull_request=1219),
        Checkout("berth-map", "feat/berth-map", 2, notes="Prototype: Canvas instead of SVG", pull_request=1231),
        Checkout("i18n-ja", "feat/i18n-ja", 2, issue=1188),
        Checkout("old-booking", "legacy/booking-v1", 3, archived=True),
    ),
    topics=(
        Topic(
            titles=(
                "Postcode field loses focus on every keystroke",
                "AddressForm remounts while typing",
                "Keep focus when the country changes",
                "Controlled inputs: audit the checkout form",
            ),
            prompt="In the new checkout the postcode field loses focus after every key. Only in the address step, "
            "and only since the redesign.",
            symbol="AddressForm",
            files=("src/checkout/AddressForm.tsx", "src/checkout/useAddress.ts", "src/checkout/AddressForm.test.tsx"),
            thinking=(
                "`Field` is declared inside `AddressForm`, so it is a new component type on each render and React "
                "remounts it. That explains why only this step suffers.",
            ),
            plan=(
                "Write a test that types two characters",
                "Lift `Field` out of the component",
                "Look for the same pattern elsewhere",
            ),
            edit=Edit(
                "src/checkout/AddressForm.tsx",
                "export function AddressForm() {\n  const Field = (p: FieldProps) => <Input {...register(p.name)} "
                "/>;\n",
                "const Field = ({ name, register }: FieldProps) => <Input {...register(name)} />;\n\nexport function "
                "AddressForm() {\n",
            ),
            run=(
                "pnpm vitest run src/checkout",
                " ✓ src/checkout/AddressForm.test.tsx (7 tests) 212ms\n ✓ src/checkout/Summary.test.tsx (4 tests) "
                "88ms\n\n Test Files  2 passed (2)\n      Tests  11 passed (11)\n",
            ),
            answer="`Field` was defined **inside** `AddressForm`, a new component on each render, so React threw the "
            "input away and made another.\n\nIt is a module-level component now. The same pattern was in two more "
            "places:\n\n- `PaymentForm.tsx` line 41\n- `GuestList.tsx` line 18\n\nBoth fixed, and "
            "`react/no-unstable-nested-components` is on in ESLint, so it cannot come back.",
            follow=(
                (
                    "Does the lint rule find anything in the rest of the repo?",
                    "Nine findings, all in `src/legacy/`. I left them and added an override with a link to #1188.",
                ),
                (
                    "Add the test for pasting a whole address.",
                    "```tsx\nit('splits a pasted address', async () => {\n  await user.click(postcode);\n  await "
                    "user.paste('10115 Berlin');\n  expect(postcode).toHaveValue('10115');\n  "
                    "expect(city).toHaveValue("
                    "'Berlin');\n});\n```\n\nIt failed first: the paste handler read `city` before state was set.",
                ),
            ),
        ),
        Topic(
            titles=(
                "Draw the berth map on a canvas",
                "Berth map: 60 fps with 2,400 berths",
                "Hit testing for rotated berths",
                "Keyboard navigation in the berth map ⌨️",
                "Berth map on high-DPI screens is blurred",
            ),
            prompt="The SVG map has 2,400 elements and pans at 11 fps on a tablet. Try a canvas with hit testing, "
            "keep "
            "it accessible, and tell me whether it is worth it before you replace anything.",
            symbol="BerthMap",
            files=("src/map/BerthMap.tsx", "src/map/hitTest.ts", "src/map/paint.ts", "e2e/map.spec.ts"),
            thinking=(
                "Accessibility is the hard part: a canvas has no elements. A visually hidden list of buttons in the "
                "same order keeps the keyboard and screen readers.",
                "Rotated rectangles: transform the pointer into the berth's frame instead of testing polygons.",
            ),
            plan=(
                "Measure the SVG version on a slow device",
                "Paint berths in layers: water, piers, berths, labels",
                "Hit test in the berth's own frame",
                "Hidden list for keyboard and screen readers",
                "Compare, then decide",
            ),
            edit=Edit(
                "src/map/hitTest.ts",
                "return berths.find((b) => x > b.x && x < b.x + b.w && y > b.y && y < b.y + b.h);\n",
                "return berths.find((b) => {\n  const [u, v] = rotate(x - b.cx, y - b.cy, -b.angle);\n  return "
                "Math.abs(u) < b.w / 2 && Math.abs(v) < b.h / 2;\n});\n",
            ),
            run=(
                "pnpm playwright test e2e/map.spec.ts --project=tablet",
                "Running 6 tests using 1 worker\n  6 passed (14.2s)\npan: 58.9 fps (was 11.3), first paint 96 ms "
                "(was "
                "412)\n",
            ),
            answer="Worth it.\n\n| | SVG | canvas |\n| --- | ---: | ---: |\n| pan, tablet | 11 fps | **59 fps** |\n"
            "| first paint | 412 ms | 96 ms |\n| bundle | 0 | +3.1 KB |\n\nThe hidden list gives every berth a "
            "button "
            "with its name and state, so the keyboard tests of the old map pass unchanged.",
            follow=(
                (
                    "On my laptop the labels are blurred.",
                    "The canvas ignored `devicePixelRatio`. It is scaled now, and repainted when the window moves to "
                    "another screen (`matchMedia('(resolution: …)')`).",
                ),
                (
                    "Can we colour berths by price instead?",
                    "A `colour` prop takes a function from berth to colour; `byPrice` uses five steps that also "
                    "differ "
                    "in brightness, so they work for colour-blind people and in print.",
                ),
            ),
        ),
        Topic(
            titles=(
                "日本語ローカライズ: 予約画面",
                "日本語: 日付と曜日の表示を統一する",
                "翻訳キーの抜けを CI で見つける",
                "Japanese locale: line breaks in buttons",
            ),
            prompt="予約画面を日本語に対応させてください。日付は「11月20日(金)」の形にして、翻訳キーの抜けがあれば"
            " CI で落ちるようにしたいです。",
            symbol="formatStay",
            files=("src/i18n/ja.json", "src/booking/formatStay.ts", "scripts/check-keys.mjs"),
            thinking=(
                "Intl.DateTimeFormat with `weekday: 'short'` gives 11月20日(金) by itself; hand-made patterns are not "
                "needed.",
                "ボタンの折り返しは word-break: auto-phrase で解決できるが、対応ブラウザが限られる。",
            ),
            plan=(
                "キーの一覧を抽出する",
                "日付の表示を Intl に統一する",
                "抜けているキーを CI で検出する",
                "スクリーンショットで確認する",
            ),
            edit=Edit(
                "src/booking/formatStay.ts",
                "return `${d.getMonth() + 1}/${d.getDate()}`;\n",
                "return new Intl.DateTimeFormat(locale, { month: 'long', day: 'numeric', weekday: 'short' "
                "}).format(d);\n",
            ),
            run=(
                "node scripts/check-keys.mjs ja",
                "ja.json: 318 keys, 0 missing, 2 unused\n  unused: booking.old.title\n  unused: booking.old.hint\n",
            ),
            answer="対応しました。\n\n- 日付: `11月20日(金)` — `Intl.DateTimeFormat` に統一\n"
            "- 翻訳: 318 キー、抜けなし。使われていないキーが 2 つあります\n"
            "- CI: `check-keys.mjs` が抜けを見つけると失敗します\n\n"
            "```ts\nexpect(formatStay(new Date(2026, 10, 20), 'ja')).toBe('11月20日(金)');\n```",
            follow=(
                (
                    "敬語のゆれも直してもらえますか。",
                    "「ください」と「下さい」が混ざっていたので「ください」に揃えました(14 か所)。",
                ),
                (
                    "使われていないキーは消してください。",
                    "2 つ消しました。`booking.old.*` を参照していたのは旧画面のテストだけで、"
                    "それも一緒に削除しています。",
                ),
            ),
        ),
        Topic(
            titles=(
                "Hydration mismatch on the price summary",
                "Prices differ between server and client",
                "Server renders in UTC, the browser does not",
            ),
            prompt='The console shows *Text content did not match. Server: "€1,204.00" Client: "1.204,00 €"*. I '
            "want one place that formats money.",
            symbol="formatMoney",
            files=("src/money/format.ts", "src/summary/Summary.tsx", "src/server/locale.ts"),
            thinking=(
                "The server has no Accept-Language at that point because the page is cached at the edge, so it falls "
                "back to en. The locale has to be part of the cache key or of the URL.",
            ),
            plan=(
                "Reproduce with a German browser",
                "One formatter with an explicit locale",
                "Locale in the URL, so the edge can cache it",
            ),
            edit=Edit(
                "src/money/format.ts",
                "export const formatMoney = (cents: number) => (cents / 100).toLocaleString();\n",
                "export const formatMoney = (cents: number, locale: Locale, currency: Currency) =>\n  "
                "new Intl.NumberFormat(locale, { style: 'currency', currency }).format(cents / 100);\n",
            ),
            run=(
                "pnpm vitest run src/money src/summary",
                " ✓ src/money/format.test.ts (12 tests) 31ms\n ✓ src/summary/Summary.test.tsx (5 tests) 140ms\n",
            ),
            answer="Server and client format with the locale of the **URL** now (`/de/booking`), which the edge "
            "cache "
            "keeps apart.\n\n`formatMoney` has no default locale any more, so the compiler found the other 23 "
            "callers. "
            "All of them had the same fault waiting.",
            follow=(
                (
                    "What happens with an old link without a locale?",
                    "A 307 to the best match of `Accept-Language`, never cached. Tested for `de-AT` → `de`, `xx` → "
                    "`en`.",
                ),
            ),
        ),
        Topic(
            titles=(
                "Stepper for the new checkout",
                "Checkout redesign: summary panel sticky on desktop",
                "Checkout: errors next to the field, not on top",
                "Design tokens for the checkout",
                "Review the checkout with a screen reader 🔊",
            ),
            prompt="Rebuild the checkout after the design in `design/checkout.md`: four steps, summary on the right "
            "from 960 px, errors beside their field. Start with a plan.",
            symbol="CheckoutStepper",
            files=(
                "src/checkout/Stepper.tsx",
                "src/checkout/Summary.tsx",
                "design/checkout.md",
                "src/styles/tokens.css",
            ),
            thinking=(
                "The steps are real pages today. Keeping the URLs means the back button works for free; the "
                "stepper is "
                "then only navigation, not state.",
            ),
            plan=(
                "Keep one URL a step",
                "Stepper as a list of links with `aria-current`",
                "Summary: `position: sticky` from 960 px",
                "Errors: `aria-describedby`, focus on the first",
            ),
            edit=Edit(
                "src/checkout/Summary.tsx",
                '<aside className="summary fixed">\n',
                "<aside className=\"summary\" aria-label={t('summary')}>\n",
            ),
            run=(
                "pnpm build",
                "vite v6.0.3 building for production...\n✓ 812 modules transformed.\n✓ built in 4.91s\n",
            ),
            answer="The four steps stand, each with its own URL, so *back* and *reload* behave.\n\n"
            '- [x] stepper is an ordered list, the present step has `aria-current="step"`\n'
            "- [x] summary sticks from 960 px\n- [x] an error moves the focus to its field\n"
            "- [ ] payment step: waiting for the provider's new iframe\n\n"
            "```css\n@media (min-width: 960px) {\n  .summary { position: sticky; top: var(--space-6); }\n}\n```",
            follow=(
                (
                    "VoiceOver reads the price three times.",
                    "The live region was around the whole panel. It is on the total only now, and polite.",
                ),
                (
                    "The panel flickers on Safari.",
                    "Safari repaints sticky elements that have a `backdrop-filter`. Removed it; the tokens have a "
                    "solid "
                    "colour that looks the same on white.",
                ),
            ),
        ),
    ),
)
