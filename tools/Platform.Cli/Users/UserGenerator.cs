using System.Globalization;
using Bogus;

namespace Platform.Cli.Users;

/// <summary>One made-up user, as the fields of a CSV row.</summary>
internal readonly record struct GeneratedUser(string ExternalId, string Name, string Email, string Country, string SignedUpAt);

/// <summary>
/// Makes up users. The same seed gives the same users in the same order, so a longer list begins with the shorter one. Row n has the
/// externalId <c>U</c> followed by n in nine digits, whatever the seed: to import two lists with different seeds changes the same users.
/// </summary>
internal sealed class UserGenerator
{
    private static readonly DateTimeOffset firstSignUp = new(2015, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset lastSignUp = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Names in several scripts, with their frequency and the country where most such people live.</summary>
    private static readonly (string Locale, string Country, float Weight)[] origins =
    [
        ("en_US", "US", 0.22f),
        ("en_GB", "GB", 0.12f),
        ("de", "DE", 0.12f),
        ("fr", "FR", 0.10f),
        ("es", "ES", 0.09f),
        ("pt_BR", "BR", 0.08f),
        ("pl", "PL", 0.07f),
        ("cz", "CZ", 0.04f),
        ("sv", "SE", 0.03f),
        ("ru", "RU", 0.04f),
        ("ja", "JP", 0.05f),
        ("zh_CN", "CN", 0.04f),
    ];

    private static readonly string[] titles = ["Jr.", "Sr.", "PhD", "MD", "III"];
    private static readonly string[] domains = ["example.com", "example.net", "example.org"];
    private static readonly float[] weights = [.. origins.Select(origin => origin.Weight)];
    private static readonly int[] originIndexes = [.. Enumerable.Range(0, origins.Length)];

    private readonly Randomizer random;
    private readonly Faker[] fakers;

    public UserGenerator(int seed)
    {
        random = new Randomizer(seed);
        fakers = [.. origins.Select(origin => new Faker(origin.Locale) { Random = random })];
    }

    /// <summary>Generates the next users one at a time and keeps none.</summary>
    public IEnumerable<GeneratedUser> Generate(long count)
    {
        for (var row = 1L; row <= count; row++)
        {
            var origin = random.WeightedRandom(originIndexes, weights);
            var names = fakers[origin].Name;
            var first = names.FirstName();
            var last = names.LastName();
            yield return new GeneratedUser(
                ExternalId: string.Create(CultureInfo.InvariantCulture, $"U{row:000000000}"),
                Name: FullName(names, first, last),
                Email: random.Bool(0.95f) ? Email(first, last, row) : "",
                Country: random.Bool(0.9f) ? origins[origin].Country : origins[random.WeightedRandom(originIndexes, weights)].Country,
                SignedUpAt: SignUp().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)
            );
        }
    }

    /// <summary>
    /// Makes a mostly plain name; a few names have a nickname in quotes or a title after a comma, because real lists have them.
    /// </summary>
    private string FullName(Bogus.DataSets.Name names, string first, string last) =>
        random.Int(1, 100) switch
        {
            <= 2 => $"{first} \"{names.FirstName()}\" {last}",
            <= 5 => $"{first} {last}, {random.ArrayElement(titles)}",
            <= 7 => $"{last}, {first}",
            _ => $"{first} {last}",
        };

    /// <summary>Makes an address that is unique by the row's number, on a domain that nobody owns.</summary>
    private string Email(string first, string last, long row)
    {
        var name = string.Concat($"{first}.{last}".Where(c => char.IsAsciiLetter(c) || c is '.')).Trim('.').ToLowerInvariant();
        return string.Create(CultureInfo.InvariantCulture, $"{(name is "" ? "user" : name)}.{row}@{random.ArrayElement(domains)}");
    }

    private DateTimeOffset SignUp() => firstSignUp.AddSeconds(random.Long(0, (long)(lastSignUp - firstSignUp).TotalSeconds - 1));
}
