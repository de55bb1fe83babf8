/// A day of the proleptic Gregorian calendar.
///
/// The arithmetic counts years from 1 March, so that the leap day is a year's last day and months need no table:
/// from March on, month lengths repeat as 31, 30, 31, 30, 31 every five months (153 days).
struct CivilDate: Hashable {
    var year: Int64
    /// 1…12.
    var month: Int64
    /// 1…31.
    var day: Int64

    private static let daysPerEra: Int64 = 146_097  // 400 years
    private static let daysToEpoch: Int64 = 719_468  // from 0000-03-01 to 1970-01-01

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    init(daysSinceEpoch: Int64) {
        let (era, dayOfEra) = (daysSinceEpoch + Self.daysToEpoch).flooringDivided(by: Self.daysPerEra)
        // Take the leap days out, so that every year of the era has 365 days.
        let leapDays = dayOfEra / 1460 - dayOfEra / 36_524 + dayOfEra / 146_096
        let yearOfEra = (dayOfEra - leapDays) / 365
        let dayOfYear = dayOfEra - Self.days(beforeYear: yearOfEra)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - Self.days(beforeMonthFromMarch: monthFromMarch) + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    }

    var daysSinceEpoch: Int64 {
        let (era, yearOfEra) = (month <= 2 ? year - 1 : year).flooringDivided(by: 400)
        let monthFromMarch = month > 2 ? month - 3 : month + 9
        let dayOfEra = Self.days(beforeYear: yearOfEra) + Self.days(beforeMonthFromMarch: monthFromMarch) + day - 1
        return era * Self.daysPerEra + dayOfEra - Self.daysToEpoch
    }

    /// Whether the calendar has this day: there is no 30 February, and 29 February only in leap years.
    var exists: Bool {
        (1...12).contains(month) && (1...31).contains(day) && CivilDate(daysSinceEpoch: daysSinceEpoch) == self
    }

    private static func days(beforeYear year: Int64) -> Int64 { year * 365 + year / 4 - year / 100 }
    private static func days(beforeMonthFromMarch month: Int64) -> Int64 { (153 * month + 2) / 5 }
}
